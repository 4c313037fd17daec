using System.Net;
using System.Net.Sockets;
using KestrelStream.Admin;
using KestrelStream.Configuration;
using KestrelStream.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;

namespace KestrelStream.Server.Hosting;

/// <summary>
/// What the admin port does with a request whoever answers it: refuses one for a host that is not ours, and gives an answer without a body its words.
/// Stateless; thread-safe.
/// </summary>
/// <remarks>
/// The check of the host is against DNS rebinding: a page in a browser whose name has come to resolve to a loopback address is of the same origin as our
/// answers, and reading needs no token.
/// </remarks>
internal static class AdminRequests
{
    private const string Localhost = "localhost";

    /// <param name="app">The server's.</param>
    /// <param name="address">Where its admin port is bound.</param>
    public static void Check(WebApplication app, ProxyAddress address)
    {
        var state = app.Services.GetRequiredService<IProxyState>();
        app.Use(async (context, next) =>
        {
            if (address.Kind != ProxyAddressKind.Unix && !IsOurs(context.Request.Host, address, state.Current?.Config.Admin?.AllowedHosts ?? []))
            {
                await AdminResponse.WriteProblemAsync(
                    context, StatusCodes.Status421MisdirectedRequest, "Unknown host", "This port answers for IP addresses, localhost, and the names in Admin:AllowedHosts.");
                return;
            }

            await next(context);
            if (!context.Response.HasStarted && context.Response.ContentType is null && context.Response.ContentLength is null)
            {
                await DescribeAsync(context);
            }
        });
    }

    private static bool IsOurs(HostString host, ProxyAddress address, IReadOnlyList<string> allowed)
    {
        // Programs may leave it out (HTTP/1.0) or empty; browsers never do.
        if (host.Host is not { Length: > 0 } name || IsIp(name) || name.Equals(Localhost, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        // The name as an address bar takes it too, with the dot of the root.
        return allowed.Count == 0 ? !address.IsLocal : HostString.MatchesAny(name.TrimEnd('.'), [.. allowed.Select(pattern => new StringSegment(pattern.TrimEnd('.')))]);
    }

    /// <summary>As a URL has it: four numbers, or IPv6 in brackets.</summary>
    private static bool IsIp(string name)
        => name.StartsWith('[')
            ? name.EndsWith(']') && IPAddress.TryParse(name.AsSpan(1, name.Length - 2), out var v6) && v6.AddressFamily == AddressFamily.InterNetworkV6
            : name.Count(c => c == '.') == 3 && IPAddress.TryParse(name, out var v4) && v4.AddressFamily == AddressFamily.InterNetwork;

    /// <summary>Routing answers with a bare status.</summary>
    private static Task DescribeAsync(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => AdminResponse.WriteProblemAsync(context, StatusCodes.Status404NotFound, "Not found", "There is nothing at this path."),
        StatusCodes.Status405MethodNotAllowed => AdminResponse.WriteProblemAsync(
            context, StatusCodes.Status405MethodNotAllowed, "Method not allowed", $"Allowed here: {context.Response.Headers.Allow}."),
        _ => Task.CompletedTask,
    };
}
