using KestrelStream.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Admin;

/// <summary><c>/api/refused</c>: the last connections that came to nothing, and why, the youngest first.</summary>
internal static class RefusedEndpoint
{
    public static Task GetAsync(HttpContext context)
        => AdminResponse.WriteAsync(
            context, context.RequestServices.GetRequiredService<RefusedSessions>().Read().Select(ApiRefused.Of), AdminJson.Default.IEnumerableApiRefused);
}
