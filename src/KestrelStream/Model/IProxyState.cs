using KestrelStream.Tls;

namespace KestrelStream.Model;

/// <summary>What runs now, for those who show it: metrics, health, the API. Read from any thread, at any time.</summary>
internal interface IProxyState
{
    /// <summary>Null before the start.</summary>
    ProxySnapshot? Current { get; }

    /// <summary>The bound ones.</summary>
    IReadOnlyList<ListenerState> Listeners { get; }

    /// <summary>Certificates that are loaded.</summary>
    IReadOnlyList<CertificateStatus> Certificates { get; }

    /// <summary>What has become of each certificate that a source gets.</summary>
    IReadOnlyList<CertificateIssuance> Issuances { get; }

    /// <summary>Every listener is bound, and no drain has started.</summary>
    bool IsReady { get; }

    /// <summary>From the moment a stop was asked for.</summary>
    bool IsDraining { get; }
}
