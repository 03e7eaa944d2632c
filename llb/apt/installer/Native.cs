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
        Tidy.FixDates(request);
        Tidy.FixTimes("/", request.Time);
        if (Tidy.CachesFonts(request))
        {
            // The cache has the times of the folders of fonts, which are others now.
            Tool.Output("fc-cache", "-f");
            Tidy.FixTimes("/", request.Time);
        }
    }
}
