using System.Net;
using KestrelStream.Configuration;
using KestrelStream.Health;
using KestrelStream.Health.Checks;
using KestrelStream.Model;
using KestrelStream.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.FunctionalTests.Health;

/// <summary>A proxy in front of a cluster <c>c</c> whose members <c>a</c>, <c>b</c>… are checked ten times a second, and what is known about them.</summary>
internal static class CheckedPool
{
    /// <summary>Short times: a member is out after two failed checks and back after two good ones.</summary>
    public static ActiveHealthCheckConfig Often(HealthCheckKind kind) => new()
    {
        Kind = kind, Interval = TimeSpan.FromMilliseconds(100), Timeout = TimeSpan.FromMilliseconds(700), Rise = 2, Fall = 2,
    };

    public static StreamProxyConfig Config(EngineKind engine, ActiveHealthCheckConfig check, params EndPoint[] members)
    {
        var config = ProxyEnvironment.OneRoute(engine, members[0]);
        var destinations = members
            .Select((member, i) => ($"{(char)('a' + i)}", new DestinationConfig { Address = member.ToString()! }))
            .ToDictionary(member => member.Item1, member => member.Item2);
        return config with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["c"] = new() { Destinations = destinations, HealthCheck = new HealthCheckConfig { Active = check } } },
        };
    }

    public static DestinationState Member(this ProxyEnvironment proxy, string id)
        => proxy.Services.GetRequiredService<IProxyState>().Current!.Clusters["c"].Model.Destinations.Single(destination => destination.Id == id);

    /// <summary>Waits until a member is out for a failure of that layer.</summary>
    public static async Task<CheckReport> UntilDownAsync(this ProxyEnvironment proxy, string id, params CheckResult[] results)
    {
        var member = proxy.Member(id);
        await Wait.UntilAsync(
            () => member.Health == DestinationHealth.Unhealthy && member.LastCheck is { } report && results.Contains(report.Result),
            $"{id} to be down with {string.Join(" or ", results)}");
        return member.LastCheck!;
    }

    /// <summary>Waits until a check of a member was good and it is in.</summary>
    public static async Task<CheckReport> UntilUpAsync(this ProxyEnvironment proxy, string id)
    {
        var member = proxy.Member(id);
        await Wait.UntilAsync(
            () => member is { IsUpByChecks: true, LastCheck.Result: CheckResult.Healthy }, $"{id} to be up; last check: {member.LastCheck}");
        return member.LastCheck!;
    }
}
