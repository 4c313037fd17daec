using System.Net.Sockets;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.TestKit;

namespace KestrelStream.FunctionalTests.Admin;

/// <summary>A proxy before upstreams that say who they are and then echo, with its admin port. Stops everything it started.</summary>
internal sealed class LivePool : IAsyncDisposable
{
    private readonly List<ScriptedUpstream> _upstreams = [];

    private LivePool()
    {
    }

    public required ProxyEnvironment Proxy { get; set; }

    public required AdminPort Admin { get; set; }

    /// <summary>As it was started.</summary>
    public required StreamProxyConfig Config { get; set; }

    public IReadOnlyList<ScriptedUpstream> Upstreams => _upstreams;

    /// <param name="engine">Of the proxy.</param>
    /// <param name="destinations">Ids of cluster <c>c</c>, a letter each; one of <c>x</c> to <c>z</c> has an upstream and is no member.</param>
    /// <param name="configure">The cluster.</param>
    /// <param name="everything">The configuration.</param>
    public static async Task<LivePool> StartAsync(
        EngineKind engine, string destinations, Func<ClusterConfig, ClusterConfig>? configure = null, Func<StreamProxyConfig, StreamProxyConfig>? everything = null)
    {
        var upstreams = destinations.Select(Named).ToList();
        var members = destinations.Zip(upstreams).Where(pair => pair.First < 'x')
            .ToDictionary(pair => pair.First.ToString(), pair => new DestinationConfig { Address = pair.Second.EndPoint.ToString() });
        var config = ProxyEnvironment.OneRoute(engine, ScriptedUpstream.Nobody()) with
        {
            Admin = new AdminConfig { Token = AdminPort.Token },
            Clusters = new Dictionary<string, ClusterConfig> { ["c"] = (configure ?? (c => c))(new ClusterConfig { Destinations = members }) },
        };
        config = (everything ?? (c => c))(config);
        var proxy = await ProxyEnvironment.StartAsync(config);
        var pool = new LivePool { Proxy = proxy, Admin = await AdminPort.StartAsync(proxy), Config = config };
        pool._upstreams.AddRange(upstreams);
        return pool;
    }

    /// <summary>A session that stays, and who serves it.</summary>
    public async Task<(Socket Client, char Destination)> OpenAsync()
    {
        var client = await Proxy.ConnectAsync();
        return (client, (char)(await client.ReceiveExactlyAsync(1))[0]);
    }

    /// <summary>Who serves so many sessions, one after another.</summary>
    public async Task<string> RunAsync(int sessions)
    {
        var served = new StringBuilder();
        for (var i = 0; i < sessions; i++)
        {
            var (client, destination) = await OpenAsync();
            client.Shutdown(SocketShutdown.Send);
            await client.ReceiveToEndAsync();
            client.Dispose();
            served.Append(destination);
        }

        return served.ToString();
    }

    /// <summary>The configuration it was started with, with another cluster.</summary>
    public StreamProxyConfig With(Func<ClusterConfig, ClusterConfig> change)
        => Config with { Clusters = new Dictionary<string, ClusterConfig> { ["c"] = change(Config.Clusters["c"]) } };

    /// <summary>The same with another destination, or none.</summary>
    public StreamProxyConfig WithDestination(string id, DestinationConfig? destination) => With(cluster =>
    {
        var members = cluster.Destinations.Where(member => member.Key != id).ToDictionary();
        if (destination is not null)
        {
            members.Add(id, destination);
        }

        return cluster with { Destinations = members };
    });

    public string Address(char upstream, string all) => _upstreams[all.IndexOf(upstream, StringComparison.Ordinal)].EndPoint.ToString();

    public async ValueTask DisposeAsync()
    {
        await Admin.DisposeAsync();
        await Proxy.DisposeAsync();
        foreach (var upstream in _upstreams)
        {
            await upstream.DisposeAsync();
        }
    }

    public static async Task EchoesAsync(Socket client, byte value = 42)
    {
        await client.SendAllAsync(new[] { value });
        Xunit.Assert.Equal([value], await client.ReceiveExactlyAsync(1));
    }

    private static ScriptedUpstream Named(char name) => new(async socket =>
    {
        await socket.SendAllAsync(new[] { (byte)name });
        var buffer = new byte[4096];
        while (await socket.ReceiveAsync(buffer) is > 0 and var count)
        {
            await socket.SendAllAsync(buffer.AsMemory(0, count));
        }

        socket.Shutdown(SocketShutdown.Send);
    });
}
