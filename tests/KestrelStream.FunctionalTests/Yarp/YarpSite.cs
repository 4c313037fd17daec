using System.Net;
using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Management;
using KestrelStream.Model;
using KestrelStream.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KestrelStream.FunctionalTests.Yarp;

/// <summary>An app in this process with the stream proxy and YARP, joined by <c>AddYarp</c>.</summary>
internal sealed class YarpSite : IAsyncDisposable
{
    private readonly ReloadableSettings _yarp;
    private readonly WebApplication _app;

    private YarpSite(StreamProxyConfig streams, Dictionary<string, string?> yarp)
    {
        _yarp = new ReloadableSettings(yarp);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        ((IConfigurationBuilder)builder.Configuration).Add(_yarp);
        builder.Services.AddStreamProxy().LoadFromMemory(streams).AddYarp(builder.Configuration.GetSection("ReverseProxy"));
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = Timeout.InfiniteTimeSpan);
        _app = builder.Build();
        _app.MapReverseProxy();
    }

    private IPEndPoint EndPoint => (IPEndPoint)_app.Services.GetRequiredService<IStreamProxy>().BoundAddresses["public"][0];

    /// <param name="streams">Of the stream proxy.</param>
    /// <param name="yarp">Of YARP, below <c>ReverseProxy</c>.</param>
    public static async Task<YarpSite> StartAsync(StreamProxyConfig streams, Dictionary<string, string?> yarp)
    {
        var site = new YarpSite(streams, yarp);
        try
        {
            await site._app.StartAsync();
            return site;
        }
        catch
        {
            await site._app.DisposeAsync();
            throw;
        }
    }

    /// <summary>Replaces YARP's configuration, as a changed file does.</summary>
    public void SetYarp(Dictionary<string, string?> yarp) => _yarp.Set(yarp);

    public DestinationState Destination(string cluster, string destination)
        => _app.Services.GetRequiredService<ClusterRegistry>().Clusters[cluster].Model.Destinations.Single(d => d.Id == destination);

    public async Task<Socket> ConnectAsync(CancellationToken cancellationToken = default)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(EndPoint, cancellationToken);
        return socket;
    }

    public HttpClient CreateClient() => new(new SocketsHttpHandler
    {
        UseProxy = false,
        SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true },
        ConnectCallback = async (_, cancellationToken) => new NetworkStream(await ConnectAsync(cancellationToken), ownsSocket: true),
    })
    { Timeout = Wait.Limit };

    public async ValueTask DisposeAsync()
    {
        _app.Services.GetRequiredService<IStreamProxy>().AbortSessions();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private sealed class ReloadableSettings(Dictionary<string, string?> first) : ConfigurationProvider, IConfigurationSource
    {
        public IConfigurationProvider Build(IConfigurationBuilder builder)
        {
            Data = Prefixed(first);
            return this;
        }

        public void Set(Dictionary<string, string?> settings)
        {
            Data = Prefixed(settings);
            OnReload();
        }

        private static Dictionary<string, string?> Prefixed(Dictionary<string, string?> settings)
            => settings.ToDictionary(pair => $"ReverseProxy:{pair.Key}", pair => pair.Value, StringComparer.OrdinalIgnoreCase);
    }
}
