Console.WriteLine(string.Join(' ', Words.All));
Console.WriteLine(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "SHA256SUMS")).Trim());
