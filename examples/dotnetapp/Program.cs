using System.Runtime.InteropServices;

var greeting = Environment.GetEnvironmentVariable("GREETING") ?? "Good day";

Console.WriteLine($"{greeting} from .NET!");
Console.WriteLine();
Console.WriteLine($"Version:      {RuntimeInformation.FrameworkDescription}");
Console.WriteLine($"OS:           {RuntimeInformation.OSDescription}");
Console.WriteLine($"Architecture: {RuntimeInformation.OSArchitecture}");
Console.WriteLine($"Arguments:    {(args.Length > 0 ? string.Join(' ', args) : "none")}");

return 0;
