using System.Net;
using System.Net.Sockets;
using KestrelStream.Diagnostics;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Transport.Sockets;

/// <summary>
/// Accepts for one listener. Sessions start here and never surface in Kestrel: <see cref="AcceptAsync"/> gives it only what
/// Kestrel itself is to serve, and ends when the listener is unbound. Kestrel binds, unbinds and disposes it.
/// </summary>
internal sealed partial class SocketListener : IConnectionListener
{
    private readonly ListenerEndPoint _endPoint;
    private readonly List<Socket> _sockets;
    private readonly ISessionStarter _sessions;
    private readonly DescriptorBudget _descriptors;
    private readonly SocketsEnvironment _environment;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _unbound = new();
    private readonly TaskCompletionSource<ConnectionContext?> _surfaced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _loops;

    public SocketListener(
        ListenerEndPoint endPoint,
        List<Socket> sockets,
        ISessionStarter sessions,
        DescriptorBudget descriptors,
        SocketsEnvironment environment,
        TimeProvider time,
        ILogger logger)
    {
        _endPoint = endPoint;
        _sockets = sockets;
        _sessions = sessions;
        _descriptors = descriptors;
        _environment = environment;
        _time = time;
        _logger = logger;
        EndPoint = sockets[0].LocalEndPoint!;
        endPoint.Listener.SetBound(sockets.Select(s => s.LocalEndPoint!));
        _loops = Task.WhenAll(sockets.Select(s => Task.Run(() => AcceptLoopAsync(s))));
    }

    public EndPoint EndPoint { get; }

    public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) => new(_surfaced.Task);

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        await _unbound.CancelAsync();
        foreach (var socket in _sockets)
        {
            socket.Dispose();
        }

        await _loops;
        if (_endPoint.Address.Kind == Configuration.ProxyAddressKind.Unix)
        {
            File.Delete(_endPoint.Address.Host);
        }

        _surfaced.TrySetResult(null);
    }

    public async ValueTask DisposeAsync()
    {
        await UnbindAsync();
    }

    private async Task AcceptLoopAsync(Socket socket)
    {
        var listener = _endPoint.Listener;
        var backOff = new AcceptBackOff(listener, _time, _logger);
        var accept = SocketOperation.Rent();
        try
        {
            while (!_unbound.IsCancellationRequested)
            {
                if (!_descriptors.TryTake())
                {
                    await PauseAsync(backOff.AfterReserve());
                    continue;
                }

                var error = await accept.AcceptAsync(socket);
                if (error != SocketError.Success)
                {
                    _descriptors.Return();
                    if (error != SocketError.OperationAborted)
                    {
                        await PauseAsync(backOff.After(error));
                    }

                    continue;
                }

                backOff.Accepted();
                Start(accept.AcceptSocket!, listener);
            }
        }
        catch (ObjectDisposedException)
        {
            _descriptors.Return();
        }
        catch (Exception e)
        {
            LogAcceptFailed(_logger, e, listener.Id);
        }

        accept.Return();
    }

    private void Start(Socket socket, Model.ListenerState listener)
    {
        EndPoint? remote = null;
        try
        {
            remote = socket.RemoteEndPoint;
        }
        catch (SocketException)
        {
            // Reset while it was in the queue: the session finds out with its first receive.
        }

        _sessions.Start(new SocketConnection(socket, remote, EndPoint), listener, _environment);
    }

    private async Task PauseAsync(TimeSpan pause)
    {
        if (pause == TimeSpan.Zero)
        {
            return;
        }

        try
        {
            await Task.Delay(pause, _time, _unbound.Token);
        }
        catch (OperationCanceledException)
        {
            // Unbound meanwhile: the loop ends.
        }
    }

    [LoggerMessage(EventIds.AcceptFailed, LogLevel.Critical, "Listener {Listener} has stopped accepting")]
    private static partial void LogAcceptFailed(ILogger logger, Exception exception, string listener);
}
