# Sorts what commands made of a publish into its layers again: sort.sh PUBLISHED CHANGED OUTPUT DIAGNOSTICS.
# A file that is as it was goes to its layer. All others are the app.
set -e
published=$1 changed=$2 output=$3 diagnostics=$4
mkdir -p "$output/app"
lists=$(mktemp -d)
trap 'rm -r "$lists"' EXIT
cp -a "$changed/." "$output/app/"

# The list of static web assets has sizes and hashes of files. It must not say what is no longer true.
endpoints=
for f in "$published"/assets/*.staticwebassets.endpoints.json; do
	if [ -e "$f" ]; then endpoints=${f##*/}; fi
done

same() {
	if [ -L "$1" ] || [ -L "$2" ]; then
		[ -L "$1" ] && [ -L "$2" ] && [ "$(readlink "$1")" = "$(readlink "$2")" ]
	else
		[ -f "$1" ] && [ -f "$2" ] && [ "$(sha256sum < "$1")" = "$(sha256sum < "$2")" ] &&
			{ [ -x "$1" ] && [ -x "$2" ] || [ ! -x "$1" ] && [ ! -x "$2" ]; }
	fi
}

cd "$published"
for layer in packages packages-preview projects assets runtimes/*; do
	if [ ! -d "$layer" ]; then continue; fi
	find "$layer" ! -type d -exec sh -c 'for f do printf "%s\n" "$f"; done' sh {} + > "$lists/files"
	while IFS= read -r f; do
		name=${f#"$layer/"}
		if same "$f" "$output/app/$name"; then
			mkdir -p "$output/$layer/$(dirname "$name")"
			mv "$output/app/$name" "$output/$layer/$name"
		elif [ "$layer" = assets ] && [ -n "$endpoints" ]; then
			echo "publish.after changes $name, but $endpoints has its size and its hash: change it in publish.before" \
				| tee "$diagnostics/command.log" >&2
			exit 1
		fi
	done < "$lists/files"
done
# Folders that have lost all their files, but not those that commands left empty.
find packages packages-preview projects assets runtimes/* -mindepth 1 -depth -type d 2> /dev/null > "$lists/folders" || :
while IFS= read -r f; do
	case $f in
	runtimes/*) f=${f#runtimes/*/} ;;
	*) f=${f#*/} ;;
	esac
	rmdir "$output/app/$f" 2> /dev/null || :
done < "$lists/folders"

{
	for layer in app packages packages-preview projects assets; do
		if [ -d "$output/$layer" ]; then echo "$layer"; fi
	done
	cd "$output"
	for f in runtimes/*; do
		if [ -d "$f" ]; then echo "$f"; fi
	done
	grep -E '^(asset|native) ' "$published/layers.txt" || :
	# Machine code that is not as it was published.
	find app -type f -exec sh -c '
		published=$1 output=$2
		shift 2
		for f do
			if [ "$(od -An -tx1 -N4 "$f" | tr -d " ")" = 7f454c46 ] && ! cmp -s "$f" "$published/$f"; then
				printf "machine %s %s\n" "$(od -An -tx1 -j18 -N2 "$f" | tr -d " ")" "${f#app/}"
			fi
		done' sh "$published" "$output" {} +
} > "$output/layers.txt"
if [ -e "$published/runtimeconfig.json" ]; then cp "$published/runtimeconfig.json" "$output/"; fi
