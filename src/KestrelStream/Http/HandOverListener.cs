using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace KestrelStream.Http;

/// <summary>A queue between sessions and Kestrel, which takes connections out of it as if it had accepted them. Thread-safe.</summary>
internal sealed class HandOverListener : IConnectionListener
{
    // Not bounded: Kestrel takes each at once, and every one in it is a session that the listener's limits have let in.
    private readonly Channel<ConnectionContext> _connections = Channel.CreateUnbounded<ConnectionContext>(new UnboundedChannelOptions { SingleReader = true });

    public EndPoint EndPoint { get; set; } = new IPEndPoint(IPAddress.None, 0);

    /// <summary>False = Kestrel stops, and takes no more.</summary>
    public bool TryAdd(ConnectionContext connection) => _connections.Writer.TryWrite(connection);

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _connections.Reader.WaitToReadAsync(cancellationToken))
        {
            if (_connections.Reader.TryRead(out var connection))
            {
                return connection;
            }
        }

        return null;
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _connections.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => UnbindAsync();
}
