using Microsoft.AspNetCore.Mvc.RazorPages;

namespace AspNetApp.Pages;

public sealed class IndexModel : PageModel
{
    public EnvironmentReport Report { get; } = EnvironmentReport.Collect();
}
