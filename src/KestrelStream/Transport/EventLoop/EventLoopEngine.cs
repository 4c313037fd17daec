using System.Net;
using System.Net.Sockets;
using KestrelStream.Configuration;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Transport.EventLoop;

/// <summary>
/// The engine for Linux: <paramref name="loops"/> threads, each with its own epoll and its own listening sockets, run their sessions from accept to
/// the last byte without handing them to another thread. Thread-safe. Disposed after every listener is unbound and every session has ended.
/// </summary>
internal sealed class EventLoopEngine(
    ISessionStarter sessions,
    DescriptorBudget descriptors,
    int loops,
    TimeProvider time,
    ILoggerFactory loggers) : IStreamEngine, IDisposable
{
    private readonly Lock _lock = new();
    private EventLoop[]? _loops;
    private LoopEnvironment[] _environments = [];
    private uint _dials;

    public string Name => "EventLoop";

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var target = (ListenerEndPoint)endpoint;
        var running = EnsureLoops();
        var bound = LoopSockets.Bind(target.Address, target.Listener.Model.Config.Backlog, running.Length);
        var backOff = new AcceptBackOff(target.Listener, time, loggers.CreateLogger<LoopListener>());
        var acceptors = bound
            .SelectMany(address => address.Sockets.Select((socket, i) => (socket, i, address.EndPoint)))
            .Select(s => new LoopAcceptor(running[s.i], _environments[s.i], s.socket, target.Listener, s.EndPoint, sessions, descriptors, backOff))
            .ToArray();

        var listener = new LoopListener(target, bound[0].EndPoint, acceptors);
        target.Listener.SetBound(bound.Select(b => b.EndPoint));
        await listener.StartAsync();
        return listener;
    }

    public SessionEnvironment NextEnvironment()
    {
        EnsureLoops();
        return _environments[Interlocked.Increment(ref _dials) % (uint)_environments.Length];
    }

    /// <summary>How the loops are doing.</summary>
    public IEnumerable<LoopReading> ReadLoops() => (_loops ?? []).Select(loop => loop.Meter.Read());

    public IEnumerable<HandshakeReading> ReadHandshakes() => (_loops ?? []).Select(loop => loop.Handshakes.Read());

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var loop in _loops ?? [])
            {
                loop.Stop();
            }

            _loops = [];
        }
    }

    private EventLoop[] EnsureLoops()
    {
        lock (_lock)
        {
            if (_loops is null)
            {
                var logger = loggers.CreateLogger<EventLoop>();
                _loops = [.. Enumerable.Range(0, loops).Select(i => new EventLoop(i, descriptors, logger))];
                _environments = [.. _loops.Select(loop => new LoopEnvironment(loop))];
            }

            return _loops;
        }
    }
}
