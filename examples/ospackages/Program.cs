// Calls a library of the distribution, and reads its time zones.
using System.Globalization;
using System.Runtime.InteropServices;

int version = Fontconfig.FcGetVersion(); // 21401 is 2.14.1
Console.WriteLine($"fontconfig {version / 10000}.{version / 100 % 100}.{version % 100} on {RuntimeInformation.ProcessArchitecture}");

TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById("America/New_York");
DateTimeOffset noon = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);
string local = TimeZoneInfo.ConvertTime(noon, zone).ToString("HH:mm", CultureInfo.InvariantCulture);
Console.WriteLine($"12:00 UTC is {local} in {zone.Id}");

static class Fontconfig
{
    [DllImport("libfontconfig.so.1")]
    internal static extern int FcGetVersion();
}
