using System.Net;
using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Transport;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace KestrelStream.Acme.Challenges;

/// <summary>
/// The server on port 80. A port that cannot be bound is tried again until it can: the proxy serves meanwhile. Applied by one thread at a time.
/// </summary>
internal sealed partial class HttpChallengeServer(HttpResponder responder, IServiceProvider services, TimeProvider time, ILogger<HttpChallengeServer> logger) : IAsyncDisposable
{
    /// <summary>An authority opens a handful; everybody else may wait.</summary>
    private const int MaxConnections = 200;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    private HttpChallengeConfig? _config;
    private CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    /// <summary>Where it listens; null = nowhere yet.</summary>
    public IPEndPoint? EndPoint { get; private set; }

    /// <param name="config">Valid; null = nothing listens.</param>
    public void Apply(HttpChallengeConfig? config)
    {
        if (config == _config)
        {
            return;
        }

        _config = config;
        _stop.Cancel();
        _stop = new CancellationTokenSource();
        _running = RunAsync(_running, config, _stop.Token);
    }

    public async ValueTask DisposeAsync()
    {
        Apply(null);
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync(Task previous, HttpChallengeConfig? config, CancellationToken stop)
    {
        await previous;
        string? said = null;
        while (config is not null && !stop.IsCancellationRequested)
        {
            using var server = new KestrelServer(OptionsOf(config), new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance), NullLoggerFactory.Instance);
            try
            {
                await server.StartAsync(new HttpChallengeApplication(responder, config), stop);
                var address = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? config.Address;
                EndPoint = Uri.TryCreate(address, UriKind.Absolute, out var url) && IPEndPoint.TryParse(url.Authority, out var endPoint) ? endPoint : null;
                LogBound(logger, address);
                await WaitAsync(Timeout.InfiniteTimeSpan, stop);
                EndPoint = null;

                // Without patience: whoever is in the middle of a redirect asks again.
                await server.StopAsync(new CancellationToken(canceled: true));
            }
            catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException or OperationCanceledException)
            {
                if (said != e.Message && !stop.IsCancellationRequested)
                {
                    LogNotBound(logger, config.Address, said = e.Message);
                }

                await WaitAsync(RetryAfter, stop);
            }
        }
    }

    private Task WaitAsync(TimeSpan span, CancellationToken stop)
        => Task.Delay(span, time, stop).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private IOptions<KestrelServerOptions> OptionsOf(HttpChallengeConfig config)
    {
        var options = new KestrelServerOptions { ApplicationServices = services, AddServerHeader = false };
        options.Limits.MaxConcurrentConnections = MaxConnections;
        options.Limits.MaxRequestBodySize = 0;
        options.Limits.MaxRequestHeadersTotalSize = 8 * 1024;
        options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        options.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(10);
        KestrelEndPoint.Add(options, ProxyAddress.TryParseListen(config.Address, out var address) ? address! : throw new ArgumentException("Not validated.", nameof(config)), HttpProtocols.Http1);
        return Options.Create(options);
    }

    [LoggerMessage(EventIds.HttpChallengeBound, LogLevel.Information, "HTTP challenges are answered on {Address}")]
    private static partial void LogBound(ILogger logger, string address);

    [LoggerMessage(EventIds.HttpChallengeNotBound, LogLevel.Error, "HTTP challenges cannot be answered on {Address}, which is tried again: {Reason}")]
    private static partial void LogNotBound(ILogger logger, string address, string reason);
}
