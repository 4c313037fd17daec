using System.Text.RegularExpressions;
using KestrelStream.Configuration;
using KestrelStream.Model;
using KestrelStream.Preread;
using KestrelStream.Routing;
using Xunit;
using static KestrelStream.Tests.Routing.RouteTableBuilder;

namespace KestrelStream.Tests.Routing;

/// <summary>Random tables against a second, plain writing of the rules that looks at every route.</summary>
public class RouteTableRandomTests
{
    private static readonly string[] Labels = ["a", "b", "c", "mail", "example"];
    private static readonly string[] Expressions = ["~^a", "~b$", @"~mail\.", "~[ab]+", "~EXAMPLE"];
    private static readonly string[] Protocols = ["h2", "http/1.1", "postgresql"];

    [Fact]
    public void ForHello_RandomTables_AgreesWithThePlainRules()
    {
        var random = new Random(20260101);
        var taken = 0;
        for (var round = 0; round < 200; round++)
        {
            var routes = RandomRoutes(random);
            var table = new RouteTable(routes);
            for (var i = 0; i < 100; i++)
            {
                var (name, alpn) = (RandomNameOrNone(random), RandomAlpn(random));
                var expected = PlainForHello(routes, name, alpn);
                Assert.Equal(expected, table.ForHello(name, alpn));
                taken += expected is null ? 0 : 1;
            }
        }

        // The runs are worth something only if both ends occur.
        Assert.InRange(taken, 2_000, 18_000);
    }

    [Fact]
    public void ForHello_RoutesShuffled_AnswersTheSame()
    {
        var random = new Random(7);
        for (var round = 0; round < 50; round++)
        {
            var routes = RandomRoutes(random);
            var hellos = Enumerable.Range(0, 50).Select(_ => (Name: RandomNameOrNone(random), Alpn: RandomAlpn(random))).ToArray();
            var first = Answers(routes, hellos);
            for (var shuffle = 0; shuffle < 4; shuffle++)
            {
                random.Shuffle(routes);
                Assert.Equal(first, Answers(routes, hellos));
            }
        }
    }

    [Fact]
    public void Explain_RandomTables_AgreesWithTheChoiceAndNamesEveryRouteOnce()
    {
        var random = new Random(11);
        for (var round = 0; round < 100; round++)
        {
            var routes = RandomRoutes(random);
            var table = new RouteTable(routes);
            for (var i = 0; i < 50; i++)
            {
                var (name, alpn) = (RandomNameOrNone(random), RandomAlpn(random));
                var considered = table.Explain(name, alpn);

                Assert.Equal(table.ForHello(name, alpn), considered.FirstOrDefault(route => route.Matched)?.Route);
                Assert.Equal(routes.Select(route => route.Id).Order(StringComparer.Ordinal), considered.Select(route => route.Route).Order(StringComparer.Ordinal));
                Assert.All(considered, route => Assert.NotEmpty(route.Why));
                foreach (var route in considered)
                {
                    Assert.Equal(PlainRank(routes.Single(candidate => candidate.Id == route.Route), name, alpn) is not null, route.Matched);
                }
            }
        }
    }

    private static string?[] Answers(RouteModel[] routes, (string? Name, string[] Alpn)[] hellos)
    {
        var table = new RouteTable(routes);
        return [.. hellos.Select(hello => table.ForHello(hello.Name, hello.Alpn)), table.ForNotTls()?.Id, table.ForSilence()?.Id, table.Only()?.Id];
    }

    private static string? PlainForHello(RouteModel[] routes, string? name, string[] alpn)
        => routes.Select(route => (route.Id, Rank: PlainRank(route, name, alpn)))
            .Where(route => route.Rank is not null)
            .OrderBy(route => route.Rank!.Value)
            .ThenBy(route => route.Id, StringComparer.OrdinalIgnoreCase)
            .Select(route => route.Id)
            .FirstOrDefault();

    /// <summary>The lowest is taken; null = does not match.</summary>
    private static (int Step, int Shortness, int RegexOrder, int FewConditions, int NotTerminating, int Order)? PlainRank(RouteModel route, string? name, string[] alpn)
    {
        var (match, order) = (route.Config.Match, route.Config.Order);
        if ((match.Protocols.Count > 0 && !match.Protocols.Contains(ClientProtocol.Tls))
            || (match.Alpn.Count > 0 && !match.Alpn.Intersect(alpn).Any()))
        {
            return null;
        }

        var steps = match.Sni.Count == 0
            ? [(Step: 4, Length: 0)]
            : match.Sni.SelectMany(pattern => PlainSteps(pattern, name)).ToArray();
        if (steps.Length == 0)
        {
            return null;
        }

        var best = steps.OrderBy(step => step.Step).ThenByDescending(step => step.Length).First();
        var conditions = (match.Alpn.Count > 0 ? 1 : 0) + (match.Protocols.Count > 0 ? 1 : 0);
        var terminatesOnly = route.Terminates && best.Step == 4 && conditions == 0;
        return (best.Step, -best.Length, best.Step == 3 ? order : 0, -conditions, terminatesOnly ? 0 : 1, order);
    }

    private static IEnumerable<(int Step, int Length)> PlainSteps(string pattern, string? name)
    {
        if (name is null)
        {
            yield break;
        }

        if (pattern[0] == '~')
        {
            if (Regex.IsMatch(name, pattern[1..], RegexOptions.IgnoreCase))
            {
                yield return (3, 0);
            }

            yield break;
        }

        pattern = pattern.ToLowerInvariant();
        pattern = pattern[^1] == '.' ? pattern[..^1] : pattern;
        if (pattern == name || pattern == "." + name)
        {
            yield return (0, 0);
        }

        var suffix = pattern[0] is '*' or '.' ? pattern.TrimStart('*') : null;
        if (suffix is not null && name.EndsWith(suffix, StringComparison.Ordinal))
        {
            yield return (1, suffix.Length);
        }

        if (pattern[^1] == '*' && name.StartsWith(pattern[..^1], StringComparison.Ordinal))
        {
            yield return (2, pattern.Length);
        }
    }

    private static RouteModel[] RandomRoutes(Random random)
    {
        var count = random.Next(1, 13);
        return [.. Enumerable.Range(0, count).Select(i => Route(
            $"r{(i % 2 == 0 ? "X" : "x")}{i}",
            sni: random.Next(4) == 0 ? [] : [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => RandomPattern(random)).Distinct()],
            alpn: random.Next(3) == 0 ? [.. Protocols.Where(_ => random.Next(2) == 0)] : [],
            protocols: random.Next(6) switch { 0 => [ClientProtocol.Tls], 1 when random.Next(2) == 0 => [ClientProtocol.ServerFirst], 2 when random.Next(3) == 0 => [ClientProtocol.ServerFirst, ClientProtocol.Tls], _ => [] },
            order: random.Next(3) - 1,
            terminates: random.Next(3) == 0))];
    }

    private static string RandomPattern(Random random)
    {
        var name = RandomName(random, 3);
        return random.Next(7) switch
        {
            0 or 1 => name,
            2 => "*." + name,
            3 => "." + name,
            4 => name + ".*",
            5 => Expressions[random.Next(Expressions.Length)],
            _ => name.ToUpperInvariant() + ".",
        };
    }

    private static string? RandomNameOrNone(Random random) => random.Next(12) == 0 ? null : RandomName(random, 4);

    private static string RandomName(Random random, int mostLabels)
        => string.Join('.', Enumerable.Range(0, random.Next(1, mostLabels + 1)).Select(_ => Labels[random.Next(Labels.Length)]));

    private static string[] RandomAlpn(Random random) => [.. Protocols.Where(_ => random.Next(2) == 0)];
}
