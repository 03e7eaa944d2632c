namespace Tide;

public static class Clock
{
    public const int Period = 745;

    public static int Next(int minute) => minute + Period - minute % Period;
}
