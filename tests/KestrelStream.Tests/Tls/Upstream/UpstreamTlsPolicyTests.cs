using KestrelStream.Configuration;
using KestrelStream.TestKit;
using KestrelStream.Tls;
using KestrelStream.Tls.OpenSsl;
using KestrelStream.Tls.Upstream;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelStream.Tests.Tls.Upstream;

public sealed class UpstreamTlsPolicyTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly CertificateStore _store = new(TimeProvider.System, NullLogger<CertificateStore>.Instance);

    public UpstreamTlsPolicyTests()
    {
        _folder.Write("ca.pem", TestCertificates.Shared.Root.ExportCertificatePem());
        TestCertificates.Shared.Issue("proxy.example.com").WritePem(_folder, "proxy.pem", "proxy.key");
    }

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Compile_NothingHasChanged_KeepsThePolicyAndItsSessions()
    {
        var tls = new UpstreamTlsConfig { TrustedCertificates = "ca.pem", Certificate = "proxy", Alpn = ["a"], Protocols = [TlsVersion.Tls13, TlsVersion.Tls12] };
        var first = Compile(tls, null)!;

        Assert.Same(first, Compile(tls, first));
        Assert.Same(first, Compile(tls with { Alpn = ["a"], Protocols = [] }, first));
        Assert.NotSame(first, Compile(tls with { ServerName = "x.example.com" }, first));
        Assert.NotSame(first, Compile(tls with { Alpn = ["b"] }, first));
        Assert.NotSame(first, Compile(tls with { CipherSuites = "TLS_AES_128_GCM_SHA256" }, first));
        Assert.NotSame(first, Compile(tls with { Groups = "X25519" }, first));
        Assert.NotSame(first, Compile(tls with { Verify = false, TrustedCertificates = null }, first));
        Assert.NotSame(first, Compile(tls with { Certificate = null }, first));

        _folder.Write("ca.pem", new TestCertificates().Root.ExportCertificatePem());
        Assert.NotSame(first, Compile(tls, first));
    }

    [Theory]
    [InlineData("missing.pem", "does not exist")]
    [InlineData("empty.pem", "is empty")]
    [InlineData("damaged.pem", "damaged")]
    [InlineData("leaf.pem", "has no root")]
    public void Compile_FileOfAuthoritiesIsNotGood_IsAnErrorWithItsPath(string file, string problem)
    {
        _folder.Write("empty.pem", "");
        _folder.Write("damaged.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        _folder.Write("leaf.pem", TestCertificates.Shared.Issue("x.example.com").LeafPem);

        var error = Assert.Single(CompileAll(new UpstreamTlsConfig { TrustedCertificates = file }, null).Errors);

        Assert.Equal("StreamProxy:Clusters:c:Tls:TrustedCertificates", error.Path);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ECDHE+RSA:!ECDHE", null, "Ciphers", "no cipher match")]
    [InlineData(null, "X25519:P-257", "Groups", "\"P-257\" is not a group of the OpenSSL here; valid: X25519, P-256")]
    [InlineData(null, "P-256:prime256v1", "Groups", "has a group twice")]
    public void Compile_OpenSslRefusesCiphersOrGroups_IsAnErrorWithItsPath(string? ciphers, string? groups, string key, string problem)
    {
        if (OpenSslLibrary.Probe(out _) is { } openSsl)
        {
            var error = Assert.Single(CompileAll(new UpstreamTlsConfig { Ciphers = ciphers, Groups = groups }, null, openSsl).Errors);

            Assert.Equal($"StreamProxy:Clusters:c:Tls:{key}", error.Path);
            Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        }
    }

    private UpstreamTlsPolicy? Compile(UpstreamTlsConfig tls, UpstreamTlsPolicy? previous) => CompileAll(tls, previous)["c"];

    private UpstreamPolicies CompileAll(UpstreamTlsConfig tls, UpstreamTlsPolicy? previous, OpenSslLibrary? openSsl = null)
    {
        var config = new StreamProxyConfig
        {
            Certificates = new Dictionary<string, CertificateConfig> { ["proxy"] = new() { Path = "proxy.pem", KeyPath = "proxy.key" } },
            Clusters = new Dictionary<string, ClusterConfig> { ["c"] = new() { Tls = tls }, ["plain"] = new(), ["off"] = new() { Tls = new UpstreamTlsConfig { Enabled = false } } },
        };
        var certificates = _store.Prepare(config.Certificates, _folder.Path);
        _store.Commit(certificates);
        var policies = UpstreamPolicies.Compile(config, _folder.Path, certificates, _store, new Lazy<OpenSslLibrary?>(openSsl), _ => previous);
        Assert.Null(policies["plain"]);
        Assert.Null(policies["off"]);
        return policies;
    }
}
