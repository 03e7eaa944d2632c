using System;
using Tide;

Console.WriteLine($"high water every {Clock.Period} minutes");
