#:package Newtonsoft.Json@13.0.4

using System.Runtime.InteropServices;
using Newtonsoft.Json;

Console.WriteLine(JsonConvert.SerializeObject(new { Hello = "from a file", On = $"{RuntimeInformation.ProcessArchitecture}" }));
