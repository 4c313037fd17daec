using System.Net;
using KestrelStream.Configuration;
using KestrelStream.Model;
using KestrelStream.Preread;

namespace KestrelStream.Routing;

/// <summary>A route as one table holds it: with its conditions and patterns compiled. Immutable.</summary>
internal sealed class RouteEntry
{
    private readonly bool _takesEveryHello;

    public RouteEntry(RouteModel route)
    {
        Route = route;
        Conditions = new RouteConditions(route.Config);
        Patterns = Parse(route.Config.Match.Sni);
        _takesEveryHello = Conditions.TakesEveryHello;
    }

    public RouteModel Route { get; }

    public RouteConditions Conditions { get; }

    /// <summary>Empty = takes every name, and clients without one.</summary>
    public SniPattern[] Patterns { get; }

    /// <summary>The first condition, besides the name, that a hello or its client does not meet.</summary>
    public RouteRefusal Check(in ClientHello hello, EndPoint? client)
        => _takesEveryHello ? RouteRefusal.None
            : !Conditions.TakesClient(client) ? RouteRefusal.Client
            : Conditions.Check(hello);

    /// <summary>Order of trial among routes that are equal by name: more conditions, then Order, then id.</summary>
    public static int Compare(RouteEntry a, RouteEntry b)
    {
        var byConditions = b.Conditions.Count.CompareTo(a.Conditions.Count);
        if (byConditions != 0)
        {
            return byConditions;
        }

        var byTermination = b.Conditions.IsTlsOnlyByTermination.CompareTo(a.Conditions.IsTlsOnlyByTermination);
        return byTermination != 0 ? byTermination : CompareOrder(a, b);
    }

    /// <summary>Order of trial among expressions: Order first, as one name may match any number of them, and no expression is longer than another.</summary>
    public static int CompareExpressions(RouteEntry a, RouteEntry b)
    {
        var byOrder = a.Route.Config.Order.CompareTo(b.Route.Config.Order);
        return byOrder != 0 ? byOrder : Compare(a, b);
    }

    private static int CompareOrder(RouteEntry a, RouteEntry b)
    {
        var byOrder = a.Route.Config.Order.CompareTo(b.Route.Config.Order);
        return byOrder != 0 ? byOrder : string.Compare(a.Route.Id, b.Route.Id, StringComparison.OrdinalIgnoreCase);
    }

    private static SniPattern[] Parse(IReadOnlyList<string> names)
    {
        SniPattern[] patterns = names.Count == 0 ? [] : new SniPattern[names.Count];
        for (var i = 0; i < patterns.Length; i++)
        {
            patterns[i] = Parse(names[i]);
        }

        return patterns;
    }

    private static SniPattern Parse(string text)
        => SniPattern.TryParse(text, out var pattern, out var error)
            ? pattern!
            : throw new ArgumentException($"{ErrorText.Quote(text)}: {error}. A configuration is validated before it is compiled.");
}
