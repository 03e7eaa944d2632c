Console.WriteLine($"{DateTime.UtcNow:t} by {Fleet.Names.Of("clock")}");
