#nullable enable


namespace Crosshull.Packages;

/// <summary>Installs packages in the image that this program runs in, with their scripts.</summary>
sealed class Native(Request request)
{
    internal void Install()
    {
        var apt = new Apt("/", request);
        apt.Install(request.Twin ? apt.Known(request.Install) : request.Install);
        Tidy.Restore("/", request.Pristine);
        Tidy.FixTimes("/", request.Time);
    }
}
