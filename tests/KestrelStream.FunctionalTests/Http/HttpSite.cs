using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using KestrelStream.Configuration;
using KestrelStream.Management;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KestrelStream.FunctionalTests.Http;

/// <summary>An ASP.NET Core app in this process that hosts the proxy and is the other end of its HTTP routes.</summary>
internal sealed class HttpSite : IAsyncDisposable
{
    private readonly InMemoryConfigProvider _provider;
    private readonly ConcurrentQueue<StreamSession> _sessions = new();

    private HttpSite(StreamProxyConfig config, Action<WebApplicationBuilder>? build)
    {
        _provider = new InMemoryConfigProvider(config);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(Log);
        builder.Services.AddStreamProxy().LoadFrom(_provider).ConfigurePipeline(Observe, neverBlocks: true).ServeHttp();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = Timeout.InfiniteTimeSpan);
        build?.Invoke(builder);
        App = builder.Build();
        App.UseWebSockets();
        App.MapGet("/who", Who);
        App.MapPost("/echo", EchoAsync);
        App.MapPost("/count", async context => await context.Response.WriteAsync((await context.Request.Body.CountAsync()).ToString()));
        App.MapGet("/held", HoldAsync);
        App.MapGet("/abort", context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        App.MapGet("/ws", EchoWebSocketAsync);
        App.MapStreamProxyAdmin();
    }

    public WebApplication App { get; }

    public RecordingLogger Log { get; } = new();

    /// <summary>Requests to <c>/held</c> wait for it.</summary>
    public TaskCompletionSource Release { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Set when a request to <c>/held</c> runs.</summary>
    public SemaphoreSlim Held { get; } = new(0);

    /// <summary>Set when the client of a request to <c>/held</c> has gone.</summary>
    public TaskCompletionSource Aborted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyCollection<StreamSession> Sessions => _sessions;

    public IStreamProxy Proxy => App.Services.GetRequiredService<IStreamProxy>();

    public IPEndPoint EndPoint => (IPEndPoint)Proxy.BoundAddresses["public"][0];

    public static async Task<HttpSite> StartAsync(StreamProxyConfig config, Action<WebApplicationBuilder>? build = null)
    {
        var site = new HttpSite(config, build);
        await site.App.StartAsync();
        return site;
    }

    /// <summary>One listener on a free port and one route, which ends TLS for names of example.com and is handed over.</summary>
    public static StreamProxyConfig Secure(EngineKind engine, TlsEngineKind tlsEngine, TempFolder folder, Func<RouteConfig, RouteConfig>? route = null)
    {
        var (path, key) = TestCertificates.Shared.Issue("a.example.com", "*.example.com").WritePem(folder, "a.pem", "a.key");
        return Clear(engine, r => (route ?? (same => same))(r with
        {
            Match = new RouteMatch { Sni = ["*.example.com"] },
            Tls = new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["a"] },
        })) with
        {
            Tls = new TlsConfig { Engine = tlsEngine },
            Certificates = new Dictionary<string, CertificateConfig> { ["a"] = new() { Path = path, KeyPath = key } },
        };
    }

    /// <summary>The same in the clear.</summary>
    public static StreamProxyConfig Clear(EngineKind engine, Func<RouteConfig, RouteConfig>? route = null) => new()
    {
        Engine = engine,
        ShutdownTimeout = TimeSpan.FromSeconds(10),
        Listeners = new Dictionary<string, ListenerConfig> { ["public"] = new() { Address = "127.0.0.1:0" } },
        Routes = new Dictionary<string, RouteConfig> { ["site"] = (route ?? (r => r))(new RouteConfig { Action = RouteAction.Http }) },
    };

    /// <summary>A client whose connections all go to the proxy, whatever they are for.</summary>
    public HttpClient CreateClient(Version? version = null, RemoteCertificateValidationCallback? validate = null) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        EnableMultipleHttp2Connections = false,
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = validate ?? ((_, _, _, _) => true) },
        ConnectCallback = async (_, cancellationToken) => new NetworkStream(await ConnectAsync(cancellationToken), ownsSocket: true),
    })
    {
        DefaultRequestVersion = version ?? HttpVersion.Version11,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = Wait.Limit,
    };

    public async Task<Socket> ConnectAsync(CancellationToken cancellationToken = default)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(EndPoint, cancellationToken);
        return socket;
    }

    public Task<ReloadResult> ReloadAsync(StreamProxyConfig config)
    {
        _provider.Update(config);
        return Proxy.ReloadAsync();
    }

    public async Task<StreamSession> EndedAsync(int session = 0)
    {
        var found = await Wait.ForAsync(() => _sessions.ElementAtOrDefault(session), "a session");
        await Wait.UntilAsync(() => found.Phase == SessionPhase.Closed, "the session to end");
        return found;
    }

    public async ValueTask DisposeAsync()
    {
        Proxy.AbortSessions();
        await App.StopAsync();
        await App.DisposeAsync();
    }

    private static Task Who(HttpContext context)
    {
        var connection = context.Connection;
        var tls = context.Features.Get<ITlsHandshakeFeature>();
        return context.Response.WriteAsync(string.Join(
            '|',
            context.Request.Scheme,
            context.Request.Protocol,
            context.Request.Host.Host,
            tls?.HostName,
            tls?.Protocol,
            $"{connection.RemoteIpAddress}:{connection.RemotePort}",
            $"{connection.LocalIpAddress}:{connection.LocalPort}",
            connection.ClientCertificate?.Subject,
            context.Features.Get<IStreamSessionFeature>()?.ListenerId));
    }

    private static async Task EchoAsync(HttpContext context)
    {
        // Clients of HTTP/1.1 read no answer before they have sent the whole body.
        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body.GetBuffer().AsMemory(0, (int)body.Length));
    }

    private static async Task EchoWebSocketAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[64 * 1024];
        while (await socket.ReceiveAsync(buffer, CancellationToken.None) is { MessageType: not WebSocketMessageType.Close } message)
        {
            await socket.SendAsync(buffer.AsMemory(0, message.Count), message.MessageType, message.EndOfMessage, CancellationToken.None);
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
    }

    private async Task HoldAsync(HttpContext context)
    {
        context.RequestAborted.Register(() => Aborted.TrySetResult());
        Held.Release();
        await Release.Task.WaitAsync(Wait.Limit);
        await context.Response.WriteAsync("released");
    }

    private void Observe(IConnectionBuilder builder) => builder.Use(next => connection =>
    {
        _sessions.Enqueue((StreamSession)connection.Features.Get<IStreamSessionFeature>()!);
        return next(connection);
    });
}
