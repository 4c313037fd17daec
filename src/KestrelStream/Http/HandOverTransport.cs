using System.Net;
using Microsoft.AspNetCore.Connections;

namespace KestrelStream.Http;

/// <summary>The transport of <see cref="HttpApp"/>'s Kestrel: its connections were accepted long before, by sessions. Immutable.</summary>
internal sealed class HandOverTransport : IConnectionListenerFactory
{
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var listener = ((HandOverEndPoint)endpoint).Listener;
        listener.EndPoint = endpoint;
        return ValueTask.FromResult<IConnectionListener>(listener);
    }
}
