using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Model;
using KestrelStream.Relay;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.Transport;
using KestrelStream.Transport.EventLoop;
using KestrelStream.Transport.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelStream.Tests.Transport;

/// <summary>An engine with one listener and a session starter of the test's own: what an engine does, without routing and pools. Stops everything it started.</summary>
internal sealed class TransportHarness : IAsyncDisposable, ISessionStarter
{
    private readonly ConcurrentQueue<Task> _running = new();
    private readonly ConcurrentQueue<StreamSession> _sessions = new();
    private readonly DescriptorBudget _descriptors;
    private readonly RouteModel _route;
    private readonly EndPoint? _upstream;
    private readonly Func<StreamSession, Task> _serve;
    private readonly SharedSessionClock _clock = new(TimeProvider.System);
    private readonly LoggerFactory _loggers = new();
    private readonly IStreamEngine _engine;
    private IConnectionListener _listener = null!;

    private TransportHarness(EngineKind kind, EndPoint? upstream, Func<StreamSession, Task>? serve, RouteConfig? route, DescriptorBudget? descriptors, int loops)
    {
        _loggers.AddProvider(Log);
        _upstream = upstream;
        _serve = serve ?? RelayAsync;
        _descriptors = descriptors ?? new DescriptorBudget();
        _route = new RouteModel { Id = "all", Config = route ?? new RouteConfig() };
        Sockets = new SocketsEnvironment(_clock, new SocketRelay());
        _engine = kind == EngineKind.Sockets
            ? new SocketsEngine(this, _descriptors, Sockets, TimeProvider.System, _loggers)
            : new EventLoopEngine(this, _descriptors, loops, TimeProvider.System, _loggers);
    }

    public static TheoryData<EngineKind> Engines => [.. new[] { EngineKind.Sockets, EngineKind.EventLoop }.Where(EngineSelector.IsSupported)];

    public RecordingLogger Log { get; } = new();

    public SocketsEnvironment Sockets { get; }

    /// <summary>In the order of their accept.</summary>
    public IReadOnlyCollection<StreamSession> Sessions => _sessions;

    public EndPoint EndPoint => _listener.EndPoint;

    public static async Task<TransportHarness> StartAsync(
        EngineKind kind,
        EndPoint? upstream = null,
        Func<StreamSession, Task>? serve = null,
        string address = "127.0.0.1:0",
        RouteConfig? route = null,
        DescriptorBudget? descriptors = null,
        int loops = 2)
    {
        var harness = new TransportHarness(kind, upstream, serve, route, descriptors, loops);
        try
        {
            harness._listener = await harness.BindAsync(address);
            return harness;
        }
        catch
        {
            await harness.DisposeAsync();
            throw;
        }
    }

    /// <summary>Binds another address.</summary>
    public async Task<IConnectionListener> BindAsync(string address)
    {
        Assert.True(ProxyAddress.TryParseListen(address, out var parsed));
        var model = new ListenerModel { Id = "public", Config = new ListenerConfig { Address = address }, Address = parsed!, Routes = new([]), Generation = 1 };
        return await _engine.BindAsync(new ListenerEndPoint(parsed!, new ListenerState(model)));
    }

    public async Task<Socket> ConnectAsync(EndPoint? endPoint = null)
    {
        endPoint ??= EndPoint;
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(endPoint).WaitAsync(Wait.Limit);
        return socket;
    }

    public Task<StreamSession> SessionAsync(int index = 0) => Wait.ForAsync(() => _sessions.ElementAtOrDefault(index), "a session");

    public Task EndedAsync(StreamSession session) => Wait.UntilAsync(() => session.Phase == SessionPhase.Closed, "the end of a session");

    public Task UnbindAsync() => _listener.UnbindAsync().AsTask().WaitAsync(Wait.Limit);

    public void Start(StreamConnection client, ListenerState listener, SessionEnvironment environment)
    {
        var session = new StreamSession(_sessions.Count, client, listener, environment, TimeProvider.System.GetTimestamp(), DateTimeOffset.UtcNow) { Route = _route };
        client.Session = session;
        _sessions.Enqueue(session);
        _running.Enqueue(RunAsync(session));
    }

    /// <summary>Dials the upstream and relays.</summary>
    public async Task RelayAsync(StreamSession session)
    {
        session.Upstream = session.Environment.CreateUpstream(_upstream!);
        session.Enter(SessionPhase.Dial, TimeSpan.FromSeconds(10));
        if (await session.Environment.ConnectAsync(session.Upstream!, _upstream!) == ConnectStatus.Connected)
        {
            await session.Environment.Relay.RunAsync(session);
        }
        else
        {
            session.Abort(SessionEndReason.ConnectRefused);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_listener is not null)
        {
            await UnbindAsync();
        }

        foreach (var session in _sessions)
        {
            session.Abort(SessionEndReason.DrainTimeout);
        }

        await Task.WhenAll(_running).WaitAsync(Wait.Limit);
        (_engine as IDisposable)?.Dispose();
        _clock.Dispose();
        _loggers.Dispose();
    }

    private async Task RunAsync(StreamSession session)
    {
        try
        {
            await _serve(session);
        }
        finally
        {
            session.Leave();
            session.Upstream?.Close();
            session.Client.Close();
            session.ReleasePreread();
            _descriptors.Return();
        }
    }
}
