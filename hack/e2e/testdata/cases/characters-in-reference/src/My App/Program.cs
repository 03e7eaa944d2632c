System.Console.WriteLine(Shared.Text.Hello);
