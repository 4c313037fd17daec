using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;
using KestrelStream.Model;
using KestrelStream.Preread;

namespace KestrelStream.Tls;

/// <summary>
/// The certificates that answer tls-alpn-01 challenges (RFC 8737), by name, as long as they are pending. Every listener that reads ClientHellos answers
/// with them, before routing. One for the process; thread-safe, and free for sessions when nothing is pending.
/// </summary>
internal sealed class ChallengeCertificates(CertificateStore store, TlsEngineSelector engines, TimeProvider time)
{
    /// <summary>What such sessions have for a route in logs and metrics.</summary>
    public const string RouteId = "acme-tls/1";

    /// <summary>An authority shakes hands and leaves.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private volatile Dictionary<string, RouteModel>? _pending;

    /// <summary>The body of ProtocolNameList of a client that offers this protocol and no other.</summary>
    private static ReadOnlySpan<byte> OnlyProtocol => "\u000aacme-tls/1"u8;

    /// <summary>What a client is answered with; null = it asks for no challenge of ours, and is routed like any other.</summary>
    public RouteModel? Find(in ClientHello hello)
        => _pending is { } pending && hello.ServerName is { } name && hello.AlpnList.SequenceEqual(OnlyProtocol) ? pending.GetValueOrDefault(name) : null;

    /// <summary>Answers from now on. The proxy runs.</summary>
    /// <param name="name">Lower case.</param>
    /// <param name="certificate">With its private key, ECDSA; stays the caller's.</param>
    public void Set(string name, X509Certificate2 certificate)
    {
        var route = RouteOf(certificate);
        lock (_gate)
        {
            _pending = new Dictionary<string, RouteModel>(_pending ?? [], StringComparer.Ordinal) { [name] = route };
        }
    }

    public void Remove(string name)
    {
        lock (_gate)
        {
            var rest = new Dictionary<string, RouteModel>(_pending ?? [], StringComparer.Ordinal);
            rest.Remove(name);
            _pending = rest.Count > 0 ? rest : null;
        }
    }

    private RouteModel RouteOf(X509Certificate2 certificate)
    {
        var slot = new CertificateSlot(new CertificatePaths(RouteId, null), CertificateEntry.OfMemory(RouteId, certificate));
        var states = ConfigMap.Create<CertificateState>();
        states.Add(RouteId, new CertificateState(RouteId, new CertificateConfig(), "", folder: null, [slot], time.GetUtcNow()));
        var tls = new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = [RouteId], Alpn = [RouteId] };
        return new RouteModel
        {
            Id = RouteId,
            Config = new RouteConfig { Tls = tls, MaxSessionLifetime = Lifetime },
            Tls = TlsPolicy.Compile(new TlsPolicyBasis(RouteId, tls, Trust: null, TicketKeys: null, Ocsp: null), states, store, openSsl: engines.Selected),
            AnswersChallenge = true,
        };
    }
}
