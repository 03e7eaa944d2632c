using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

var how = RuntimeFeature.IsDynamicCodeSupported ? "compiled as it runs" : "compiled ahead";
Console.WriteLine($"Hello, {how}, on {RuntimeInformation.ProcessArchitecture}");
