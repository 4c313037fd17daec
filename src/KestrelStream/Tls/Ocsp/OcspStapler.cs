using KestrelStream.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Tls.Ocsp;

/// <summary>
/// All stapled answers of the process, by certificate: asks for them in the background for as long as a route in force shows the certificate. One for the process;
/// thread-safe.
/// </summary>
internal sealed partial class OcspStapler : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Leaf, string? Responder, string Files), OcspWatch> _watches = [];
    private readonly HashSet<(string Route, string Leaf)> _warned = [];
    private readonly OcspClient _client = new();
    private readonly CertificateStore _certificates;
    private readonly OcspCells _cells;
    private readonly TimeProvider _time;
    private readonly ILogger<OcspStapler> _logger;
    private IReadOnlyList<TlsPolicy> _followed = [];
    private bool _isDisposed;

    public OcspStapler(CertificateStore certificates, StreamProxyMetrics metrics, TimeProvider time, ILogger<OcspStapler> logger)
    {
        _certificates = certificates;
        _cells = metrics.Ocsp;
        _time = time;
        _logger = logger;
        certificates.Changed += OnChanged;
    }

    /// <summary>Asks about exactly the certificates that these policies show now. Does not wait.</summary>
    public void Follow(IReadOnlyList<TlsPolicy> policies)
    {
        var wanted = policies
            .Where(policy => policy.Basis.Ocsp is not null && policy.OpenSsl is not null)
            .SelectMany(policy => policy.Certificates.Select(certificate => (Source: policy.Basis.Ocsp!, Certificate: certificate)))
            .ToList();
        lock (_gate)
        {
            _followed = policies;
            var keys = wanted.Select(pair => WatchOf(pair.Source, pair.Certificate).Key).ToHashSet();
            foreach (var key in _watches.Keys.Where(key => !keys.Contains(key)).ToList())
            {
                _watches.Remove(key, out var watch);
                watch!.Dispose();
            }
        }

        WarnOfMissing(policies);
    }

    /// <summary>What is known of a certificate; asked for from now on, if it was not before.</summary>
    public OcspStaple StapleOf(OcspSource source, CertificateEntry certificate)
    {
        lock (_gate)
        {
            return WatchOf(source, certificate).Watch.Staple;
        }
    }

    public void Dispose()
    {
        _certificates.Changed -= OnChanged;
        lock (_gate)
        {
            _isDisposed = true;
            foreach (var watch in _watches.Values)
            {
                watch.Dispose();
            }

            _watches.Clear();
        }

        _client.Dispose();
    }

    private ((string Leaf, string? Responder, string Files) Key, OcspWatch Watch) WatchOf(OcspSource source, CertificateEntry certificate)
    {
        var key = (Convert.ToHexString(certificate.Fingerprint), source.Responder, source.Files);
        if (!_watches.TryGetValue(key, out var watch))
        {
            watch = new OcspWatch(certificate, source, _client, _cells, _time, _logger);
            if (!_isDisposed)
            {
                _watches.Add(key, watch);
                watch.Start();
            }
        }

        return (key, watch);
    }

    private void OnChanged(string certificate)
    {
        IReadOnlyList<TlsPolicy> followed;
        lock (_gate)
        {
            followed = _followed;
        }

        if (followed.Any(policy => policy.Basis.Config.Certificates.Contains(certificate, StringComparer.OrdinalIgnoreCase)))
        {
            Follow(followed);
        }
    }

    private void WarnOfMissing(IEnumerable<TlsPolicy> policies)
    {
        foreach (var policy in policies.Where(policy => policy.Basis.Ocsp is null || policy.OpenSsl is null))
        {
            foreach (var certificate in policy.Certificates.Where(certificate => certificate.MustStaple))
            {
                bool isNew;
                lock (_gate)
                {
                    isNew = _warned.Add((policy.Basis.Route, Convert.ToHexString(certificate.Fingerprint)));
                }

                if (isNew)
                {
                    LogMissing(_logger, certificate.Id, policy.Basis.Route);
                }
            }
        }
    }

    [LoggerMessage(EventIds.OcspMissing, LogLevel.Warning, "Certificate {Certificate} says that clients must refuse it without a stapled OCSP answer (RFC 7633), and route {Route} has no OcspStapling")]
    private static partial void LogMissing(ILogger logger, string certificate, string route);
}
