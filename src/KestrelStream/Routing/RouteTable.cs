using System.Net;
using KestrelStream.Configuration;
using KestrelStream.Model;
using KestrelStream.Preread;
using KestrelStream.Preread.Detection;

namespace KestrelStream.Routing;

/// <summary>
/// The routes of one listener, compiled: one hash look-up decides among any number of exact names. Part of one snapshot; immutable,
/// read by all sessions at once.
/// </summary>
internal sealed partial class RouteTable
{
    private readonly RouteEntry[] _routes;

    /// <summary>Those that may take what is not TLS, in the order of trial.</summary>
    private readonly RouteEntry[] _forNotTls;

    /// <summary>Those that take clients who say nothing.</summary>
    private readonly RouteEntry[] _forSilence;

    /// <summary>Those of clients that ask for TLS by their first bytes.</summary>
    private readonly UpgradeRoutes[] _upgrades = [];

    /// <param name="routes">Of a validated configuration, in any order.</param>
    public RouteTable(IEnumerable<RouteModel> routes)
        : this([.. routes], isUpgraded: false)
    {
    }

    private RouteTable(RouteModel[] routes, bool isUpgraded)
    {
        LooksAtClients = routes.Any(route => route.Config.Match.ClientNetworks.Count > 0);
        Terminates = routes.Any(route => route.Terminates);
        if (!isUpgraded)
        {
            var upgrades = routes.Where(route => route.Config.StartTls is not null).GroupBy(route => route.Config.StartTls!.Value).OrderBy(group => group.Key)
                .Select(group => new UpgradeRoutes(group.Key, new RouteTable([.. group], isUpgraded: true))).ToArray();
            _upgrades = [.. upgrades.Where(upgrade => !upgrade.Dialog.ServerSpeaksFirst)];
            Greeter = upgrades.FirstOrDefault(upgrade => upgrade.Dialog.ServerSpeaksFirst);
            GreetsAtOnce = Greeter is { } greeter && routes.All(route => route.Config.StartTls == greeter.Protocol || TakesNobodyElse(greeter, route.Config));
            TakesPostgreSql = routes.Any(route => route.Config.StartTls == StartTlsProtocol.PostgreSql || route.Config.Match.Protocols.Contains(ClientProtocol.PostgreSql));
            if (upgrades.Length > 0)
            {
                routes = [.. routes.Where(route => route.Config.StartTls is null)];
            }
        }

        _routes = [.. routes.Select(route => new RouteEntry(route))];
        Array.Sort(_routes, RouteEntry.Compare);

        var expressions = new List<(SniPattern Pattern, RouteEntry Route)>();
        foreach (var route in _routes)
        {
            foreach (var pattern in route.Patterns)
            {
                Add(pattern, route, expressions);
            }
        }

        Expressions = [.. expressions.Order(Comparer<(SniPattern Pattern, RouteEntry Route)>.Create(CompareExpressions))];
        Unnamed = new RouteGroup([.. _routes.Where(route => route.Patterns.Length == 0)]);

        _forNotTls = [.. _routes.Where(route => route.Conditions.TakesNotTls)];
        _forSilence = [.. _routes.Where(route => route.Conditions.TakesSilence)];
        NeedsPreread = isUpgraded || _upgrades.Length > 0 || Greeter is not null || _routes.Any(route => route.Conditions.NeedsBytes);
    }

    /// <summary>The routes of clients that are greeted, to be asked for TLS then; null = there are none.</summary>
    public UpgradeRoutes? Greeter { get; }

    /// <summary>Whether every client is: then nobody's silence is waited for.</summary>
    public bool GreetsAtOnce { get; }

    /// <summary>Whether PostgreSQL clients that do not begin with TLS have a route: their cancel requests go where their sessions are.</summary>
    public bool TakesPostgreSql { get; }

    /// <summary>Some route asks who the client is; where none does, its address need not be made into an object.</summary>
    public bool LooksAtClients { get; }

    /// <summary>On some route TLS ends here.</summary>
    public bool Terminates { get; }

    /// <summary>False when no route asks for anything that the client's bytes tell: then nothing may be waited for, as the server may speak first.</summary>
    public bool NeedsPreread { get; }

    /// <summary>Whether a client that says nothing has a route, after <see cref="Configuration.ListenerConfig.ServerFirstAfter"/>.</summary>
    public bool HasServerFirst => _forSilence.Length > 0 || Greeter is not null;

    /// <summary>The route of a client, where nothing is preread; null = none takes it.</summary>
    /// <param name="client">Who it is; null = unknown.</param>
    public RouteModel? Only(EndPoint? client = null) => NeedsPreread ? null : First(_forNotTls, client);

    internal NameIndex Exact { get; } = new();

    internal NameIndex Suffixes { get; } = new();

    internal NameIndex Prefixes { get; } = new();

    internal (SniPattern Pattern, RouteEntry Route)[] Expressions { get; }

    internal RouteGroup Unnamed { get; }

    /// <summary>The table of one listener: the routes that name it, and those that name none.</summary>
    public static RouteTable ForListener(string listenerId, IEnumerable<RouteModel> routes)
        => new(routes.Where(route => route.Config.Listeners?.Contains(listenerId, StringComparer.OrdinalIgnoreCase) ?? true));

    /// <summary>The route of a client that sent a well-formed hello; null = none takes it.</summary>
    /// <param name="hello">What it said.</param>
    /// <param name="client">Who it is; null = unknown.</param>
    /// <param name="cluster">With which it is connected already; null = with none.</param>
    public RouteModel? ForHello(in ClientHello hello, EndPoint? client = null, ClusterState? cluster = null)
    {
        var candidates = new RouteCandidates(this, hello.ServerName);
        while (candidates.MoveNext())
        {
            if (candidates.Current.Check(hello, client) == RouteRefusal.None && (cluster is null || candidates.Current.Route.Cluster == cluster))
            {
                return candidates.Current.Route;
            }
        }

        return null;
    }

    /// <summary>The routes among which one is chosen after the client, whose first bytes are not TLS, has been told to begin with it; null = it does not ask for that.</summary>
    /// <param name="bytes">All that has been received, at least one byte.</param>
    /// <param name="needsMore">It might still ask.</param>
    public UpgradeRoutes? UpgradeFor(ReadOnlySpan<byte> bytes, out bool needsMore)
    {
        needsMore = false;
        foreach (var upgrade in _upgrades)
        {
            var verdict = upgrade.Dialog.Judge(bytes);
            if (verdict == ProtocolVerdict.Yes)
            {
                return upgrade;
            }

            needsMore |= verdict == ProtocolVerdict.NeedMore;
        }

        return null;
    }

    /// <summary>The route of a client whose first bytes are not TLS; null = none takes it.</summary>
    /// <param name="bytes">All that has been received, at least one byte.</param>
    /// <param name="needsMore">
    /// More bytes might give it to a route that goes before this one: to be asked again with them. Without more to come, the answer stands: what is
    /// not whole at its end is none.
    /// </param>
    /// <param name="client">Who it is; null = unknown.</param>
    public RouteModel? ForNotTls(ReadOnlySpan<byte> bytes, out bool needsMore, EndPoint? client = null)
    {
        needsMore = false;
        foreach (var route in _forNotTls)
        {
            if (!route.Conditions.TakesClient(client))
            {
                continue;
            }

            switch (route.Conditions.Judge(bytes))
            {
                case ProtocolVerdict.Yes:
                    return route.Route;

                case ProtocolVerdict.NeedMore:
                    needsMore = true;
                    break;
            }
        }

        return null;
    }

    /// <summary>The route of a client that said nothing for <see cref="Configuration.ListenerConfig.ServerFirstAfter"/>; null = go on waiting.</summary>
    public RouteModel? ForSilence(EndPoint? client = null) => First(_forSilence, client);

    /// <summary>A route that leads to who greets a client, of whom nothing is known but its address; null = none takes it.</summary>
    public RouteModel? ForGreeting(EndPoint? client) => First(_routes, client);

    /// <summary>Clients that were greeted by a destination and go on without TLS are silent before, as those that ask for it.</summary>
    private static bool TakesNobodyElse(UpgradeRoutes greeter, RouteConfig route)
        => greeter.Protocol == StartTlsProtocol.MySql && route.Match is { Protocols: [ClientProtocol.ServerFirst], FirstBytes.Count: 0 };

    private static RouteModel? First(RouteEntry[] routes, EndPoint? client)
    {
        foreach (var route in routes)
        {
            if (route.Conditions.TakesClient(client))
            {
                return route.Route;
            }
        }

        return null;
    }

    private static int CompareExpressions((SniPattern Pattern, RouteEntry Route) a, (SniPattern Pattern, RouteEntry Route) b)
    {
        var byRoute = RouteEntry.CompareExpressions(a.Route, b.Route);
        return byRoute != 0 ? byRoute : string.CompareOrdinal(a.Pattern.Key, b.Pattern.Key);
    }

    private void Add(SniPattern pattern, RouteEntry route, List<(SniPattern Pattern, RouteEntry Route)> expressions)
    {
        switch (pattern.Kind)
        {
            case SniPatternKind.Exact:
                Exact.Add(pattern.Key, route);
                break;
            case SniPatternKind.Suffix:
                Suffixes.Add(pattern.Key, route);
                break;
            case SniPatternKind.ExactAndSuffix:
                Exact.Add(pattern.Key, route);
                Suffixes.Add(pattern.Key, route);
                break;
            case SniPatternKind.Prefix:
                Prefixes.Add(pattern.Key, route);
                break;
            default:
                expressions.Add((pattern, route));
                break;
        }
    }
}
