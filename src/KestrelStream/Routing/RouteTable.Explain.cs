using System.Net;
using KestrelStream.Model;
using KestrelStream.Preread;
using KestrelStream.Preread.Detection;

namespace KestrelStream.Routing;

/// <content>Why a route was chosen, for people.</content>
internal sealed partial class RouteTable
{
    /// <summary>
    /// Lists every route once: first those whose names fit, in the order of trial, then the others by id. The first one that matched is the
    /// answer of <see cref="ForHello"/>.
    /// </summary>
    public void Explain(in ClientHello hello, List<RouteConsidered> considered, EndPoint? client = null)
    {
        var seen = new HashSet<RouteEntry>();
        var candidates = new RouteCandidates(this, hello.ServerName);
        while (candidates.MoveNext())
        {
            var route = candidates.Current;
            // A route that fits by two patterns is tried twice, with the same end.
            if (seen.Add(route))
            {
                var refusal = route.Check(hello, client);
                considered.Add(new RouteConsidered(route.Route.Id, refusal == RouteRefusal.None, Why(route, refusal, candidates.CurrentPattern)));
            }
        }

        foreach (var route in AllUpgraded())
        {
            considered.Add(new RouteConsidered(route.Id, false, $"takes only clients that begin in the clear and ask for TLS ({route.Config.StartTls})"));
        }

        foreach (var route in _routes.Where(route => !seen.Contains(route)).OrderBy(route => route.Route.Id, StringComparer.OrdinalIgnoreCase))
        {
            considered.Add(new RouteConsidered(route.Route.Id, false, WhyNot(route, hello.ServerName)));
        }
    }

    /// <summary>The same for a client whose first bytes are not TLS, all of them: in the order of trial. The first one that matched is the answer of <see cref="ForNotTls"/>.</summary>
    public void ExplainNotTls(ReadOnlySpan<byte> bytes, List<RouteConsidered> considered, EndPoint? client = null)
    {
        foreach (var route in _routes)
        {
            var isClient = route.Conditions.TakesClient(client);
            var why = !route.Conditions.TakesNotTls ? "takes TLS clients only"
                : !isClient ? "takes only clients of other networks"
                : route.Conditions.Judge(bytes) == ProtocolVerdict.Yes ? route.Conditions.Count > 0 ? "its conditions hold" : "takes whatever comes"
                : null;
            considered.Add(new RouteConsidered(route.Route.Id, route.Conditions.TakesNotTls && isClient && why is not null, why ?? "the bytes are not what it takes"));
        }

        foreach (var route in AllUpgraded())
        {
            considered.Add(new RouteConsidered(route.Id, false, $"takes only clients that ask for TLS ({route.Config.StartTls}); then the ClientHello decides"));
        }
    }

    private IEnumerable<RouteModel> AllUpgraded()
        => _upgrades.Concat(Greeter is { } greeter ? [greeter] : []).SelectMany(upgrade => upgrade.Routes._routes).Select(route => route.Route);

    private static string Why(RouteEntry route, RouteRefusal refusal, string? pattern)
    {
        var name = pattern is null ? "takes every name" : $"name fits {pattern}";
        return refusal switch
        {
            RouteRefusal.Protocol when route.Route.Config.Match.FirstBytes.Count > 0 => $"{name}, but FirstBytes takes no TLS",
            RouteRefusal.Protocol => $"{name}, but Protocols takes only {string.Join(", ", route.Route.Config.Match.Protocols)}",
            RouteRefusal.Client => $"{name}, but the client is in none of ClientNetworks {string.Join(", ", route.Route.Config.Match.ClientNetworks)}",
            RouteRefusal.Alpn => $"{name}, but the client offers none of the ALPN protocols {string.Join(", ", route.Route.Config.Match.Alpn)}",
            _ when route.Conditions.Count > 0 => $"{name}, and the other conditions hold",
            _ => name,
        };
    }

    private static string WhyNot(RouteEntry route, string? name)
    {
        var patterns = Configuration.ErrorText.Names(route.Route.Config.Match.Sni);
        return name is null ? $"the client gave no name; takes {patterns}" : $"name {Configuration.ErrorText.Quote(name)} fits none of {patterns}";
    }
}
