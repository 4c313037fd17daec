using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>
/// Gets certificates that are not the user's own files, and puts each where <see cref="AcmeFiles"/> says, by which <see cref="CertificateStore"/>
/// learns of it. The seam to an ACME client.
/// </summary>
internal interface ICertificateSource
{
    /// <summary>What has become of each certificate it gets. From any thread.</summary>
    IReadOnlyList<CertificateIssuance> Issuances { get; }

    /// <summary>The mistakes in a valid configuration that only files show. Changes nothing.</summary>
    IEnumerable<ConfigError> Check(StreamProxyConfig config, string basePath);

    /// <summary>A configuration is in force: gets, and goes on to renew, what it names from now on. Waits for nothing.</summary>
    void Apply(StreamProxyConfig config, string basePath);
}
