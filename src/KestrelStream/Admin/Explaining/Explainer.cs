using System.Net;
using KestrelStream.Configuration;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using KestrelStream.Preread;
using KestrelStream.Routing;
using KestrelStream.Sessions;

namespace KestrelStream.Admin.Explaining;

/// <summary>Says where a client would go, and why, for the API and the command line alike. Goes the way of a session with the same code; takes no slot and no turn. Stateless.</summary>
internal static class Explainer
{
    /// <summary>Null = there is no such listener.</summary>
    public static ApiExplanation? Explain(ProxySnapshot snapshot, ExplainQuestion question)
    {
        if (!snapshot.Listeners.TryGetValue(question.Listener, out var listener))
        {
            return null;
        }

        if (question.Hello is not { } bytes || !listener.Routes.NeedsPreread)
        {
            return ForHello(listener, question, new ClientHello { ServerName = question.ServerName, AlpnList = question.AlpnList });
        }

        var parser = new ClientHelloParser(listener.Config.PrereadBufferBytes);
        try
        {
            return parser.Advance(bytes) switch
            {
                PrereadStatus.Hello => ForHello(listener, question, parser.GetHello(bytes)),
                PrereadStatus.NotTls => ForNotTls(listener, question, bytes),
                PrereadStatus.TooLarge => Refused(question, "too_large", SessionEndReason.PrereadTooLarge, parser.Error),
                PrereadStatus.NeedMore => Refused(question, "incomplete", SessionEndReason.PrereadTimeout, parser.Error),
                _ => Refused(question, "malformed", SessionEndReason.PrereadMalformed, parser.Error),
            };
        }
        finally
        {
            parser.Dispose();
        }
    }

    private static ApiExplanation ForHello(ListenerModel listener, ExplainQuestion question, in ClientHello hello)
    {
        var considered = new List<RouteConsidered>();
        listener.Routes.Explain(hello, considered, Client(question));

        // Where nothing asks for the client's bytes they are not looked at.
        var looks = listener.Routes.NeedsPreread;
        var route = looks ? listener.Routes.ForHello(hello, Client(question)) : listener.Routes.Only(Client(question));
        var client = new ApiExplainedClient(looks ? "tls" : "any", hello.ServerName, NamesOf(hello.AlpnList), question.Client?.ToString(), null);
        return ForRoute(listener, route, considered, client, question.Client, looks ? hello.ServerName : null);
    }

    private static ApiExplanation ForNotTls(ListenerModel listener, ExplainQuestion question, byte[] bytes)
    {
        var considered = new List<RouteConsidered>();
        listener.Routes.ExplainNotTls(bytes, considered, Client(question));
        var client = new ApiExplainedClient("not_tls", null, [], question.Client?.ToString(), null);
        if (listener.Routes.UpgradeFor(bytes, out _) is not null)
        {
            // It is told to begin with TLS; what it says then is not known.
            return new ApiExplanation(null, null, null, null, considered, [], null, null, client with { Kind = "start_tls" }, DeniedBy(listener, null, question.Client));
        }

        return ForRoute(listener, listener.Routes.ForNotTls(bytes, out _, Client(question)), considered, client, question.Client, null);
    }

    private static ApiExplanation ForRoute(
        ListenerModel listener, RouteModel? route, List<RouteConsidered> considered, ApiExplainedClient client, IPAddress? address, string? serverName)
    {
        var deniedBy = DeniedBy(listener, route, address);
        var members = new List<MemberConsidered>();
        var destination = route?.Cluster is { } cluster ? cluster.Peek(KeyOf(cluster, address, serverName), members) : null;
        var end = deniedBy is not null ? SessionEndReason.AccessDenied
            : route is null ? SessionEndReason.NoRoute
            : route.Action == RouteAction.Reject ? SessionEndReason.Rejected
            : destination is null && route.Cluster is not null ? SessionEndReason.NoDestination
            : (SessionEndReason?)null;
        return new ApiExplanation(
            route?.Id, route?.Cluster?.Id, destination?.Id, route?.Tls?.GetCertificateId(serverName), considered, members, route?.Action, end, client, deniedBy);
    }

    /// <summary>Never sent to a default route.</summary>
    private static ApiExplanation Refused(ExplainQuestion question, string kind, SessionEndReason reason, ClientHelloError error)
        => new(null, null, null, null, [], [], null, reason, new ApiExplainedClient(
            kind, null, [], question.Client?.ToString(), error == ClientHelloError.None ? null : error.ToString()), null);

    private static string? DeniedBy(ListenerModel listener, RouteModel? route, IPAddress? client)
        => client is null ? null
            : listener.Access?.Allows(new IPEndPoint(client, 0)) == false ? "listener"
            : route?.Access?.Allows(new IPEndPoint(client, 0)) == false ? "route"
            : null;

    private static IPEndPoint? Client(ExplainQuestion question) => question.Client is { } address ? new IPEndPoint(address, 0) : null;

    private static ulong KeyOf(ClusterState cluster, IPAddress? client, string? serverName)
        => cluster.Model.HashKey is { } key ? KeyHash.Of(key, client is null ? null : new IPEndPoint(client, 0), serverName) : 0;

    private static List<string> NamesOf(ReadOnlySpan<byte> list)
    {
        var names = new List<string>();
        while (!list.IsEmpty)
        {
            names.Add(Health.Checks.EscapedText.Show(list.Slice(1, list[0])));
            list = list[(1 + list[0])..];
        }

        return names;
    }
}
