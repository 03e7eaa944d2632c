Console.WriteLine($"Hello from {Fleet.Names.Of("greeter")}");
