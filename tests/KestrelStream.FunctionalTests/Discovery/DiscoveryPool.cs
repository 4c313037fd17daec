using System.Net;
using System.Net.Sockets;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Management;
using KestrelStream.Model;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.FunctionalTests.Discovery;

/// <summary>A proxy in front of one cluster whose members are found by a real name server; the members are 127.0.0.2, 127.0.0.3… at one port and say their last number.</summary>
internal sealed class DiscoveryPool : IAsyncDisposable
{
    private readonly List<ScriptedUpstream> _members = [];

    private DiscoveryPool(ProxyEnvironment proxy, int port)
    {
        Proxy = proxy;
        Port = port;
    }

    public ProxyEnvironment Proxy { get; }

    /// <summary>Of all members.</summary>
    public int Port { get; }

    /// <summary>Addresses in use, in order.</summary>
    public string Members => string.Join(' ', State.Model.Destinations.Select(destination => destination.Address.Host));

    public ClusterState State => Proxy.Services.GetRequiredService<IProxyState>().Current!.Clusters["c"];

    /// <param name="engine">Carries the sessions.</param>
    /// <param name="server">Is asked.</param>
    /// <param name="members">Last numbers of the addresses at which somebody listens.</param>
    /// <param name="destinations">Address of each; <c>PORT</c> in it is that of the members.</param>
    /// <param name="cluster">What else the cluster says.</param>
    /// <param name="answerWithin">Longest wait for the name server; null = 1 s.</param>
    public static async Task<DiscoveryPool> StartAsync(
        EngineKind engine, IPEndPoint server, int[] members, string[] destinations, Func<ClusterConfig, ClusterConfig>? cluster = null, TimeSpan? answerWithin = null)
    {
        var (port, upstreams) = Listen(members);
        var config = Config(engine, server, port, destinations, cluster, answerWithin);
        return new DiscoveryPool(await ProxyEnvironment.StartAsync(config), port).With(upstreams);
    }

    public static StreamProxyConfig Config(
        EngineKind engine, IPEndPoint server, int port, string[] destinations, Func<ClusterConfig, ClusterConfig>? cluster = null, TimeSpan? answerWithin = null)
        => ProxyEnvironment.OneRoute(engine, new IPEndPoint(IPAddress.Loopback, port)) with
        {
            Resolver = new ResolverConfig { Servers = [server.ToString()], Timeout = answerWithin ?? TimeSpan.FromSeconds(1) },
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["c"] = (cluster ?? (c => c))(new ClusterConfig
                {
                    DnsRefresh = TimeSpan.FromSeconds(1),
                    Destinations = destinations.Select((address, i) => (Id: $"d{i + 1}", Address: address)).ToDictionary(
                        d => d.Id, d => new DestinationConfig { Address = d.Address.Replace("PORT", $"{port}", StringComparison.Ordinal) }),
                }),
            },
        };

    /// <summary>Waits until these are the members, no others.</summary>
    public Task UntilMembersAsync(string members) => Wait.UntilAsync(() => Members == members, $"the members {members}; they were {Members}");

    /// <summary>A session of which the member has said who it is.</summary>
    public async Task<(Socket Client, string Member)> OpenAsync()
    {
        var client = await Proxy.ConnectAsync();
        return (client, Encoding.ASCII.GetString(await client.ReceiveExactlyAsync(1)));
    }

    /// <summary>Sessions one after another: who took them, in order.</summary>
    public async Task<string> AskAsync(int sessions)
    {
        var members = "";
        for (var i = 0; i < sessions; i++)
        {
            var (client, member) = await OpenAsync();
            client.Dispose();
            members += member;
        }

        return members;
    }

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        foreach (var member in _members)
        {
            await member.DisposeAsync();
        }
    }

    /// <summary>Somebody at each of 127.0.0.&lt;member&gt;, all at one port.</summary>
    public static (int Port, List<ScriptedUpstream> Upstreams) Listen(int[] members)
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = LoopbackPort.Take();
            var upstreams = new List<ScriptedUpstream>();
            try
            {
                foreach (var member in members)
                {
                    upstreams.Add(ScriptedUpstream.Named($"{member}", IPAddress.Parse($"127.0.0.{member}"), port));
                }

                return (port, upstreams);
            }
            catch (SocketException) when (attempt < 10)
            {
                // Taken at one of the addresses.
                upstreams.ForEach(upstream => _ = upstream.DisposeAsync().AsTask());
            }
        }
    }

    private DiscoveryPool With(List<ScriptedUpstream> members)
    {
        _members.AddRange(members);
        return this;
    }
}
