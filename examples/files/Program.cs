// Says what the spec has put into the image, and what it has removed.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

string Names(string folder, string pattern) =>
    string.Join(' ', Directory.GetFiles(folder, pattern).Select(Path.GetFileName).Order());

Console.WriteLine($"configuration: {Names("/etc/files", "*")}");
Console.WriteLine($"symbols: {Names("/app", "*.pdb")}");
Console.WriteLine($"greet leads to: {File.ResolveLinkTarget("/usr/local/bin/greet", true)?.FullName}");
Console.WriteLine($"its mode: {Convert.ToString((int)File.GetUnixFileMode("/app/tools/greet.sh"), 8)}");

File.WriteAllText("/app/data/note.txt", "written\n");
Console.WriteLine($"/data/note.txt: {File.ReadAllText("/data/note.txt").Trim()}");
