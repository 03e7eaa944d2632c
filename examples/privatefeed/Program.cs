System.Console.WriteLine(Newtonsoft.Json.JsonConvert.SerializeObject("Hello from a private feed"));
