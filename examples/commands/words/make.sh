# Makes C# of a list of words.
set -e
cd "$(dirname "$0")"
echo "internal static class Words"
echo "{"
echo "    public static readonly string[] All ="
echo "    ["
while read -r word; do
    echo "        \"$word\","
done < words.txt
echo "    ];"
echo "}"
