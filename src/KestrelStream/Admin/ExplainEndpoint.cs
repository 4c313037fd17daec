using System.Net;
using System.Text;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using KestrelStream.Preread;
using KestrelStream.Routing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Admin;

/// <summary><c>/api/explain?listener=&amp;sni=&amp;alpn=&amp;client=</c>: where a TLS client would go, and why. Takes no slot and no turn.</summary>
internal static class ExplainEndpoint
{
    /// <summary>RFC 7301 §3.1: one length byte a name, two for the list.</summary>
    private const int MaxAlpnListBytes = ushort.MaxValue;

    public static Task GetAsync(HttpContext context)
    {
        var query = context.Request.Query;
        string? listenerId = query["listener"];
        if (string.IsNullOrEmpty(listenerId))
        {
            return WriteBadQueryAsync(context, "listener is missing: the id of one of /api/listeners.");
        }

        if (!TryReadServerName(query["sni"], out var serverName))
        {
            return WriteBadQueryAsync(context, "sni is not a server name: 1 to 253 letters, digits, '-', '_' and dots, labels of 1 to 63.");
        }

        if (!TryReadAlpn(query["alpn"], out var alpn))
        {
            return WriteBadQueryAsync(context, "alpn is not a list of protocols: names of 1 to 255 bytes, a comma between two.");
        }

        IPAddress? client = null;
        if (!string.IsNullOrEmpty(query["client"]) && !IPAddress.TryParse(query["client"], out client))
        {
            return WriteBadQueryAsync(context, "client is not an IP address.");
        }

        var snapshot = context.RequestServices.GetRequiredService<IProxyState>().Current;
        if (snapshot is null || !snapshot.Listeners.TryGetValue(listenerId, out var listener))
        {
            return AdminResponse.WriteProblemAsync(context, StatusCodes.Status404NotFound, "Unknown listener", "There is no listener of that id; /api/listeners has them all.");
        }

        return AdminResponse.WriteAsync(context, Explain(listener, serverName, alpn, client), AdminJson.Default.ApiExplanation);
    }

    private static ApiExplanation Explain(ListenerModel listener, string? serverName, byte[] alpn, IPAddress? client)
    {
        var hello = new ClientHello { ServerName = serverName, AlpnList = alpn };
        var considered = new List<RouteConsidered>();
        listener.Routes.Explain(hello, considered);

        // Where nothing asks for the client's bytes they are not looked at.
        var route = listener.Routes.NeedsPreread ? listener.Routes.ForHello(hello) : listener.Routes.Only;
        var destination = route?.Cluster is { } cluster
            ? cluster.Peek(KeyOf(cluster, client, listener.Routes.NeedsPreread ? serverName : null))
            : null;
        return new ApiExplanation(
            route?.Id, route?.Cluster?.Id, destination?.Id, route?.Tls?.GetCertificateId(serverName), considered, DeniedBy(listener, route, client));
    }

    private static string? DeniedBy(ListenerModel listener, RouteModel? route, IPAddress? client)
        => client is null ? null
            : listener.Access?.Allows(new IPEndPoint(client, 0)) == false ? "listener"
            : route?.Access?.Allows(new IPEndPoint(client, 0)) == false ? "route"
            : null;

    private static ulong KeyOf(ClusterState cluster, IPAddress? client, string? serverName)
        => cluster.Model.HashKey is { } key ? KeyHash.Of(key, client is null ? null : new IPEndPoint(client, 0), serverName) : 0;

    /// <summary>By the rules for names in a ClientHello; what is no name there is none here.</summary>
    private static bool TryReadServerName(string? text, out string? serverName)
    {
        serverName = null;
        if (string.IsNullOrEmpty(text))
        {
            return true;
        }

        if (!ServerNameSyntax.TryParse(Encoding.UTF8.GetBytes(text), out var name))
        {
            return false;
        }

        serverName = name.IsEmpty ? null : ServerNameSyntax.ToLowerCase(name);
        return true;
    }

    private static bool TryReadAlpn(string? text, out byte[] list)
    {
        list = [];
        if (string.IsNullOrEmpty(text))
        {
            return true;
        }

        foreach (var protocol in text.Split(','))
        {
            var name = Encoding.UTF8.GetBytes(protocol);
            if (name.Length is 0 or > byte.MaxValue || list.Length + 1 + name.Length > MaxAlpnListBytes)
            {
                return false;
            }

            list = [.. list, (byte)name.Length, .. name];
        }

        return true;
    }

    private static Task WriteBadQueryAsync(HttpContext context, string detail)
        => AdminResponse.WriteProblemAsync(context, StatusCodes.Status400BadRequest, "Bad query", detail);
}
