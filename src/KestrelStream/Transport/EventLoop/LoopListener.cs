using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace KestrelStream.Transport.EventLoop;

/// <summary>
/// One bound address in all loops. Sessions start there and never surface in Kestrel: <see cref="AcceptAsync"/> gives it only what Kestrel itself
/// is to serve, and ends when the listener is unbound. Kestrel binds, unbinds and disposes it.
/// </summary>
internal sealed class LoopListener(ListenerEndPoint endPoint, EndPoint bound, IReadOnlyList<LoopAcceptor> acceptors) : IConnectionListener
{
    private readonly TaskCompletionSource<ConnectionContext?> _surfaced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isUnbound;

    public EndPoint EndPoint { get; } = bound;

    public async Task StartAsync()
    {
        var started = await Task.WhenAll(acceptors.Select(a => a.StartAsync()));
        if (started.Contains(false))
        {
            await UnbindAsync();
            throw new SocketException((int)SocketError.NoBufferSpaceAvailable);
        }
    }

    public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) => new(_surfaced.Task);

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _isUnbound, 1) == 0)
        {
            await Task.WhenAll(acceptors.Select(a => a.StopAsync()));
            if (endPoint.Address.Kind == Configuration.ProxyAddressKind.Unix)
            {
                File.Delete(endPoint.Address.Host);
            }

            _surfaced.TrySetResult(null);
        }
    }

    public ValueTask DisposeAsync() => UnbindAsync();
}
