using System.Net.Sockets;
using KestrelStream.Model;
using KestrelStream.Transport;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace KestrelStream.Management;

/// <summary>
/// One bound address: a Kestrel server of its own with one endpoint, whose transport is our engine. Kestrel binds, unbinds and stops it;
/// sessions run in the engine. Used by the manager only, one call at a time.
/// </summary>
/// <remarks>
/// Why not the endpoints of the host's own Kestrel: those switch off the host's URLs, cannot report a failed bind of a reload, and cut the
/// connections of a removed endpoint after five seconds. See docs/decisions/0002-one-kestrel-server-a-listener.md.
/// </remarks>
internal sealed class ListenerHost : IAsyncDisposable
{
    private readonly KestrelServer _server;

    private ListenerHost(ListenerState state, KestrelServer server)
    {
        State = state;
        _server = server;
    }

    public ListenerState State { get; }

    /// <exception cref="ListenerBindException">The address is in use or cannot be bound.</exception>
    public static async Task<ListenerHost> BindAsync(ListenerModel model, IStreamEngine engine, IServiceProvider services, CancellationToken cancellationToken)
    {
        var state = new ListenerState(model);
        var options = new KestrelServerOptions { ApplicationServices = services, AddServerHeader = false };
        options.Listen(new ListenerEndPoint(model.Address, state));

        // What Kestrel would log is that a bind failed, with a stack trace; that is thrown, and said once by whoever catches it.
        var server = new KestrelServer(Options.Create(options), engine, NullLoggerFactory.Instance);
        try
        {
            await server.StartAsync(new NoApplication(), cancellationToken);
            return new ListenerHost(state, server);
        }
        catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException)
        {
            server.Dispose();
            throw new ListenerBindException(model.Id, model.Address.ToString(), e);
        }
    }

    /// <summary>Stops accepting. Sessions go on.</summary>
    public async ValueTask DisposeAsync()
    {
        await _server.StopAsync(CancellationToken.None);
        _server.Dispose();
    }

    /// <summary>Nothing surfaces in Kestrel's HTTP layer.</summary>
    private sealed class NoApplication : IHttpApplication<IFeatureCollection>
    {
        public IFeatureCollection CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

        public Task ProcessRequestAsync(IFeatureCollection context) => Task.CompletedTask;

        public void DisposeContext(IFeatureCollection context, Exception? exception)
        {
        }
    }
}
