using System.Globalization;
using System.Runtime.InteropServices;
using LibBar;
using LibFoo;

// usage: complexapp [MANIFEST]
var path = args.Length > 0 ? args[0] : Path.Combine(AppContext.BaseDirectory, "manifest.json");

try
{
    var hold = new Hold(capacityKilograms: 1000);
    var left = hold.Load(Manifest.Read(File.ReadAllText(path)));

    Console.WriteLine($"complexapp on {RuntimeInformation.OSArchitecture}, {RuntimeInformation.FrameworkDescription}");
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"loaded, {hold.Free} kg free:"));
    Console.WriteLine(Manifest.Write(hold.Loaded));
    Console.WriteLine($"left on the quay: {(left.Count > 0 ? string.Join(", ", left.Select(c => c.Name)) : "nothing")}");
    return 0;
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
{
    Console.Error.WriteLine($"complexapp: {path}: {e.Message}");
    return 1;
}
