using System.Runtime.InteropServices;

var self = new FileInfo(Environment.ProcessPath!);
Console.WriteLine($"{self.Name}: one file of {self.Length / 1024 / 1024} MB with its own runtime, on {RuntimeInformation.ProcessArchitecture}");
