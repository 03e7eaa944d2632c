// Says who it is, and writes to the folders that the image made for its user.
using System.Runtime.InteropServices;

string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
Console.WriteLine($"{Environment.UserName} on {RuntimeInformation.ProcessArchitecture}, home {home}");

foreach (string folder in new[] { home, "/data" })
{
    string file = Path.Combine(folder, "note.txt");
    File.WriteAllText(file, "written\n");
    Console.WriteLine($"{file}: {File.ReadAllText(file).Trim()}");
}
