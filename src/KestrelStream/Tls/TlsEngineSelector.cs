using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Tls.OpenSsl;
using KestrelStream.Transport.EventLoop;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Tls;

/// <summary>Chooses what ends the TLS of clients. One for the process; thread-safe.</summary>
/// <param name="logger">Is told what was chosen.</param>
/// <param name="ssl">File name of libssl.</param>
internal sealed partial class TlsEngineSelector(ILogger<TlsEngineSelector> logger, string ssl)
{
    private readonly Lazy<(OpenSslLibrary? Library, string? WhyNot)> _openSsl = new(() => (OpenSslLibrary.Probe(out var whyNot, ssl), whyNot));

    private Lazy<OpenSslLibrary?>? _selected;

    public TlsEngineSelector(ILogger<TlsEngineSelector> logger)
        : this(logger, OpenSslNative.Ssl)
    {
    }

    /// <summary>What ends TLS now; null = SslStream, or nothing was selected yet.</summary>
    public OpenSslLibrary? Selected => Volatile.Read(ref _selected)?.Value;

    /// <summary>Whether it is here, whatever ends TLS.</summary>
    public bool HasOpenSsl => _openSsl.Value.Library is not null;

    /// <summary>Whether OpenSSL will be chosen, as far as that can be said before an engine runs.</summary>
    public bool UsesOpenSsl(StreamProxyConfig config) => WouldSelect(config) is not null;

    /// <summary>What will be chosen, as far as that can be said before an engine runs; null = SslStream.</summary>
    public OpenSslLibrary? WouldSelect(StreamProxyConfig config)
        => config.Engine != EngineKind.Sockets && config.Tls.Engine != TlsEngineKind.SslStream && EventLoopSupport.WhyNotHere() is null
            ? _openSsl.Value.Library
            : null;

    /// <summary>
    /// Null = SslStream. The choice is made when it is asked for: a proxy that ends no TLS does without the 3 MB of the libraries.
    /// </summary>
    /// <param name="config">Valid.</param>
    /// <param name="isOnLoops">Sessions run on event loops.</param>
    /// <exception cref="PlatformNotSupportedException">The configuration insists on OpenSSL, which cannot be used.</exception>
    public Lazy<OpenSslLibrary?> Select(StreamProxyConfig config, bool isOnLoops)
    {
        var chosen = new Lazy<OpenSslLibrary?>(() => Choose(config.Tls.Engine, isOnLoops));
        if (config.Tls.Engine == TlsEngineKind.OpenSsl)
        {
            _ = chosen.Value;
        }

        Volatile.Write(ref _selected, chosen);
        return chosen;
    }

    private OpenSslLibrary? Choose(TlsEngineKind kind, bool isOnLoops)
    {
        if (kind == TlsEngineKind.SslStream || (kind == TlsEngineKind.Auto && !isOnLoops))
        {
            return null;
        }

        var (library, whyNot) = isOnLoops ? _openSsl.Value : (null, "the EventLoop engine does not run");
        if (library is not null)
        {
            LogOpenSsl(logger, library.Version);
            return library;
        }

        if (kind == TlsEngineKind.OpenSsl)
        {
            throw new PlatformNotSupportedException($"StreamProxy:Tls:Engine: OpenSsl cannot be used here: {whyNot}; Auto and SslStream can");
        }

        LogFallback(logger, whyNot!);
        return null;
    }

    [LoggerMessage(EventIds.OpenSslChosen, LogLevel.Information, "TLS ends in {Version}")]
    private static partial void LogOpenSsl(ILogger logger, string version);

    [LoggerMessage(EventIds.TlsEngineFallback, LogLevel.Warning, "OpenSSL cannot be used here, SslStream ends TLS, at a higher cost: {Reason}")]
    private static partial void LogFallback(ILogger logger, string reason);
}
