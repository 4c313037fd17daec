using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace KestrelStream.Admin.Dashboard;

/// <summary>
/// <c>/</c>: the dashboard. One page that needs nothing else, put together from the parts that are embedded in the assembly while it is sent; no copy of it
/// is kept. It may run its own script and style, known by their hashes, and talk to where it came from. Thread-safe.
/// </summary>
internal static class DashboardPage
{
    private static readonly string[] s_styles = ["base.css", "layout.css", "table.css", "views.css"];

    /// <summary>One script: later parts use what earlier ones declare.</summary>
    private static readonly string[] s_scripts =
    [
        "dom.js", "format.js", "api.js", "store.js", "chart.js", "flow.js", "grid.js", "drawer.js", "overview.js", "pools.js", "sessions.js", "refused.js",
        "explain.js", "certificates.js", "config.js", "access.js", "app.js",
    ];

    private static readonly Lazy<string> s_policy = new(() =>
        $"default-src 'none'; script-src 'sha256-{HashOf(s_scripts)}'; style-src 'sha256-{HashOf(s_styles)}'; connect-src 'self'; img-src data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");

    public static async Task GetAsync(HttpContext context)
    {
        var path = context.Request.PathBase.Add(context.Request.Path).ToUriComponent();
        if (!path.EndsWith('/'))
        {
            // The page asks for what lies below it. Relative, so that nobody between need know the host.
            context.Response.StatusCode = StatusCodes.Status307TemporaryRedirect;
            context.Response.Headers.Location = path[(path.LastIndexOf('/') + 1)..] + "/";
            return;
        }

        var headers = context.Response.Headers;
        AdminResponse.DoNotCache(context);
        context.Response.ContentType = "text/html; charset=utf-8";
        headers.ContentSecurityPolicy = s_policy.Value;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        await SendAsync(context, "head.html");
        await context.Response.WriteAsync("<style>", context.RequestAborted);
        await SendAsync(context, s_styles);
        await context.Response.WriteAsync("</style>", context.RequestAborted);
        await SendAsync(context, "body.html");
        await context.Response.WriteAsync("<script type=\"module\">", context.RequestAborted);
        await SendAsync(context, s_scripts);
        await context.Response.WriteAsync("</script></body></html>", context.RequestAborted);
    }

    private static async Task SendAsync(HttpContext context, params string[] parts)
    {
        foreach (var part in parts)
        {
            await using var stream = Open(part);
            await stream.CopyToAsync(context.Response.Body, context.RequestAborted);
        }
    }

    /// <summary>Of what stands in one element.</summary>
    private static string HashOf(string[] parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[4096];
        foreach (var part in parts)
        {
            using var stream = Open(part);
            for (int count; (count = stream.Read(buffer)) > 0;)
            {
                hash.AppendData(buffer, 0, count);
            }
        }

        return Convert.ToBase64String(hash.GetHashAndReset());
    }

    private static Stream Open(string part)
        => typeof(DashboardPage).Assembly.GetManifestResourceStream("dashboard/" + part) ?? throw new InvalidOperationException($"The part {part} of the dashboard is missing.");
}
