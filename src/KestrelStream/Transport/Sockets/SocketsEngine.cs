using System.Net;
using KestrelStream.Relay;
using KestrelStream.Sessions;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Transport.Sockets;

/// <summary>The portable engine: <see cref="System.Net.Sockets.Socket"/> and the thread pool. Thread-safe.</summary>
internal sealed class SocketsEngine(
    ISessionStarter sessions,
    DescriptorBudget descriptors,
    SocketsEnvironment environment,
    TimeProvider time,
    ILoggerFactory loggers) : IStreamEngine
{
    public string Name => "Sockets";

    public SessionEnvironment NextEnvironment() => environment;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var target = (ListenerEndPoint)endpoint;
        var sockets = BoundSockets.Bind(target.Address, target.Listener.Model.Config.Backlog);
        return ValueTask.FromResult<IConnectionListener>(
            new SocketListener(target, sockets, sessions, descriptors, environment, time, loggers.CreateLogger<SocketListener>()));
    }
}
