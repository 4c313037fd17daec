using System.IO.Pipelines;
using KestrelStream.Sessions;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KestrelStream.Http;

/// <summary>
/// Serves the sessions of routes with <c>Action: Http</c>: a Kestrel server of its own over the app's HTTP pipeline, which is given the connections that
/// sessions hand over and binds no address. Started once by the app's server, stopped by the drain. Thread-safe.
/// </summary>
internal sealed class HttpApp(ILoggerFactory loggers) : IDisposable
{
    private readonly TaskCompletionSource<bool> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HandOverListener _http = new();
    private readonly HandOverListener _http2 = new();
    private KestrelServer? _server;
    private Task? _stopping;

    /// <summary>Kestrel reads from the client's bytes what its limits let it.</summary>
    public PipeOptions InputOptions { get; private set; } = PipeOptions.Default;

    /// <summary>Kestrel's thread goes on at once when it has written; who sends continues where its session runs.</summary>
    public PipeOptions OutputOptions { get; private set; } = PipeOptions.Default;

    /// <param name="application">The app's pipeline.</param>
    /// <param name="options">The app's own; its limits are taken over, its endpoints are not.</param>
    /// <param name="cancellationToken">Gives the start up.</param>
    public async Task StartAsync<TContext>(IHttpApplication<TContext> application, KestrelServerOptions options, CancellationToken cancellationToken)
        where TContext : notnull
    {
        var own = KestrelSettings.Copy(options);
        own.Listen(new HandOverEndPoint(_http, "sessions"), endpoint => endpoint.Protocols = HttpProtocols.Http1AndHttp2);
        own.Listen(new HandOverEndPoint(_http2, "sessions with HTTP/2 in the clear"), endpoint => endpoint.Protocols = HttpProtocols.Http2);
        InputOptions = OptionsOf(own.Limits.MaxRequestBufferSize, PipeScheduler.ThreadPool, PipeScheduler.Inline);
        OutputOptions = OptionsOf(own.Limits.MaxResponseBufferSize, PipeScheduler.Inline, PipeScheduler.ThreadPool);
        var server = new KestrelServer(Options.Create(own), new HandOverTransport(), loggers);
        _server = server;
        await server.StartAsync(new CheckedApplication<TContext>(application), cancellationToken);
        _started.TrySetResult(true);
    }

    /// <summary>The app's server starts after the proxy's listeners. False = it never will, or the session has ended meanwhile.</summary>
    public async ValueTask<bool> WaitForStartAsync(StreamSession session) => await _started.Task && !session.HasEnded;

    /// <summary>Gives Kestrel a connection. False = it stops.</summary>
    /// <param name="connection">Kestrel's from here on.</param>
    /// <param name="isHttp2">Its bytes are HTTP/2, though no ALPN has said so.</param>
    public bool TryServe(ConnectionContext connection, bool isHttp2) => (isHttp2 ? _http2 : _http).TryAdd(connection);

    /// <summary>Ends every connection as soon as its requests are answered: HTTP/2 with GOAWAY, HTTP/1.1 with <c>Connection: close</c>. Idle ones end at once.</summary>
    /// <param name="abort">Cancelled = those that are left are reset.</param>
    public Task StopAsync(CancellationToken abort)
    {
        _started.TrySetResult(false);
        return _stopping ??= _server?.StopAsync(abort) ?? Task.CompletedTask;
    }

    public void Dispose() => _server?.Dispose();

    private static PipeOptions OptionsOf(long? most, PipeScheduler reader, PipeScheduler writer)
    {
        // As Kestrel's own: 0 = no limit there is none; a limit of 0 is 1 byte, which makes every write wait for its reader.
        var pause = most switch { null => 0, 0 => 1, { } bytes => bytes };
        return new PipeOptions(readerScheduler: reader, writerScheduler: writer, pauseWriterThreshold: pause, resumeWriterThreshold: pause / 2, useSynchronizationContext: false);
    }
}
