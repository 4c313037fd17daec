using System.Text;
using KestrelStream.Preread;
using KestrelStream.Sessions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace KestrelStream.Http;

/// <summary>Says which requests are for another host than their connection: see <see cref="CheckedApplication{TContext}"/>. Pure.</summary>
internal static class MisdirectedRequests
{
    public static bool IsMisdirected(IFeatureCollection request)
        => request.Get<IStreamSessionFeature>() is StreamSession { Tls: not null } session
            && request.Get<IHttpRequestFeature>() is { } http
            && !Covers(session, http.Headers.Host.ToString());

    /// <param name="session">Whose TLS ends here.</param>
    /// <param name="host">As the request has it; empty = it has none, which HTTP/1.0 allows.</param>
    public static bool Covers(StreamSession session, string host)
    {
        if (host.Length == 0)
        {
            return true;
        }

        var name = new HostString(host).Host.AsSpan();
        if (name.EndsWith('.'))
        {
            name = name[..^1];
        }

        if (session.ServerName is { } serverName && name.Equals(serverName, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        return session.ListenerModel.Routes.ForHello(HelloFor(session, name)) == session.Route;
    }

    private static ClientHello HelloFor(StreamSession session, ReadOnlySpan<char> name)
    {
        var alpn = session.Tls!.Alpn is { } protocol ? Encoding.Latin1.GetBytes($"{(char)protocol.Length}{protocol}") : [];
        return new ClientHello
        {
            ServerName = System.Net.IPAddress.TryParse(name, out _) ? null : name.ToString().ToLowerInvariant(),
            AlpnList = alpn,
            HighestVersion = session.Tls.Version == "TLSv1.3" ? (ushort)0x0304 : (ushort)0x0303,
        };
    }
}
