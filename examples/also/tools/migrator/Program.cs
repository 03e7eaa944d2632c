using System;
using Stock;

Console.WriteLine(Shelf.Describe("migrator"));
