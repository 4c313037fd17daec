using System.Text.RegularExpressions;
using KestrelStream.Configuration;
using KestrelStream.TestKit;
using KestrelStream.Tls;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelStream.Tests.Tls;

public sealed class TlsPolicyTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly WatchClock _clock = new();
    private readonly CertificateStore _store;

    public TlsPolicyTests() => _store = new CertificateStore(_clock, NullLogger<CertificateStore>.Instance);

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("a.example", "exact")]
    [InlineData("A.EXAMPLE", "exact")]
    [InlineData("b.example", "wildcard")]
    [InlineData("x.b.example", "deeper")]
    [InlineData("x.y.b.example", "first")]
    [InlineData("example", "first")]
    [InlineData("other.test", "first")]
    [InlineData(".example", "first")]
    [InlineData("", "first")]
    [InlineData(null, "first")]
    public void GetOptions_Name_ChoosesExactThenWildcardThenFirst(string? serverName, string expected)
    {
        Use(("first", ["default.test"]), ("wildcard", ["*.example"]), ("exact", ["a.example"]), ("late", ["a.example", "*.example"]), ("deeper", ["*.b.example"]));
        var policy = Compile(Terminate("first", "wildcard", "exact", "late", "deeper"));

        Assert.Equal(expected, policy.GetCertificateId(serverName));
        Assert.Equal(expected, policy.Choose(serverName)!.Pair.Leader.Id);
    }

    [Fact]
    public void GetOptions_UntilTheCertificateChanges_IsTheSameObject()
    {
        Use(("a", ["a.example"]), ("b", ["b.example"]));
        var policy = Compile(Terminate("a", "b"));
        var (a, b) = (policy.Choose("a.example")!.Options, policy.Choose("b.example")!.Options);
        Assert.Same(a, policy.Choose("a.example")!.Options);
        Assert.NotSame(a, b);

        Write("b", ["b.example", "c.example"]);
        _clock.FireNext();
        _clock.FireNext();

        Assert.Same(a, policy.Choose("a.example")!.Options);
        Assert.NotSame(b, policy.Choose("b.example")!.Options);
        Assert.Equal("b", policy.GetCertificateId("c.example"));
        Assert.Same(policy.Choose("b.example")!.Options, policy.Choose("c.example")!.Options);
    }

    [Fact]
    public void GetOptions_Always_AreStrict()
    {
        Use(("a", ["a.example"]));
        var options = Compile(Terminate("a") with { Protocols = [TlsVersion.Tls13], Alpn = ["postgresql", "h2"] }).Choose(null)!.Options;

        Assert.False(options.AllowRenegotiation);
        Assert.False(options.ClientCertificateRequired);
        Assert.Null(options.CipherSuitesPolicy);
        Assert.Equal(["postgresql", "h2"], options.ApplicationProtocols!.Select(protocol => protocol.ToString()));
        Assert.Empty(Compile(Terminate("a")).Choose(null)!.Options.ApplicationProtocols!); // Null would let Kestrel add its own.
    }

    [Fact]
    public void Compile_ClientCertificates_NeverWithoutTrust_AndOtherTrustIsAnotherPolicy()
    {
        Use(("a", ["a.example"]));
        var config = Terminate("a") with { ClientCertificates = new ClientCertificatesConfig { Mode = ClientCertificateMode.Require } };
        var trust = new ClientTrust([TestCertificates.Shared.Root], null);
        var policy = TlsPolicy.Compile(Basis(config, trust), _store.States, _store);

        Assert.Throws<ArgumentException>(() => TlsPolicy.Compile(Basis(config), _store.States, _store));
        Assert.Throws<ArgumentException>(() => TlsPolicy.Compile(Basis(Terminate("a"), trust), _store.States, _store));
        var options = policy.Choose(null)!.Options;
        Assert.True(options.ClientCertificateRequired);
        Assert.False(options.AllowTlsResume);
        Assert.Same(policy, Recompile(config, new ClientTrust([TestCertificates.Shared.Root], null)));
        Assert.NotSame(policy, Recompile(config, new ClientTrust([TestCertificates.Shared.Root, TestCertificates.Shared.Intermediate], null)));
        Assert.NotSame(policy, Recompile(config, new ClientTrust([TestCertificates.Shared.Root], [[1]])));
        Assert.NotSame(policy, Recompile(config with { ClientCertificates = config.ClientCertificates with { Mode = ClientCertificateMode.Allow } }, trust));
        Assert.NotSame(policy, Recompile(config with { ClientCertificates = config.ClientCertificates with { Depth = 2 } }, trust));
        Assert.NotSame(policy, Recompile(Terminate("a"), null));

        TlsPolicy Recompile(RouteTlsConfig next, ClientTrust? nextTrust) => TlsPolicy.Compile(Basis(next, nextTrust), _store.States, _store, policy);
    }

    [Fact]
    public void Compile_SameOffer_KeepsThePreviousPolicy()
    {
        Use(("a", ["a.example"]), ("b", ["b.example"]));
        var config = Terminate("a") with { Ciphers = "HIGH", Alpn = ["x"] };
        var policy = Compile(config);

        Assert.Same(policy, Compile(Terminate("a") with { Ciphers = "HIGH", Alpn = ["x"], Protocols = [TlsVersion.Tls13, TlsVersion.Tls12] }, policy));
        Assert.NotSame(policy, Compile(config with { Ciphers = "HIGH:!SHA1" }, policy));
        Assert.NotSame(policy, Compile(config with { Alpn = ["x", "y"] }, policy));
        Assert.NotSame(policy, Compile(config with { Protocols = [TlsVersion.Tls12] }, policy));
        Assert.NotSame(policy, Compile(config with { Certificates = ["a", "b"] }, policy));
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Resumption_SamePolicy_Works(string version)
    {
        Use(("a", ["a.example"]));
        var policy = Compile(Terminate("a"));
        await using var server = new PolicyServer(policy);
        await using var sameAgain = new PolicyServer(policy);

        Assert.False(IsResumed(await server.ConnectAsync(version, "-sess_out", _folder["session"])));
        Assert.True(IsResumed(await server.ConnectAsync(version, "-sess_in", _folder["session"], "-sess_out", _folder["session"])));
        Assert.True(IsResumed(await sameAgain.ConnectAsync(version, "-sess_in", _folder["session"])));
    }

    [Fact]
    public async Task Resumption_Reconnect_ResumesEveryTime()
    {
        Use(("a", ["a.example"]));
        await using var server = new PolicyServer(Compile(Terminate("a")));

        var (_, output) = await OpenSslCommand.RunAsync("s_client", "-connect", $"127.0.0.1:{server.Port}", "-tls1_2", "-reconnect");

        Assert.Equal(5, Regex.Count(output, "^Reused, TLSv1.2", RegexOptions.Multiline));
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Resumption_OtherPolicyOfTheSameCertificate_IsRefused(string version)
    {
        Use(("a", ["a.example"]));
        await using var server = new PolicyServer(Compile(Terminate("a")));
        await using var other = new PolicyServer(Compile(Terminate("a")));
        Assert.False(IsResumed(await other.ConnectAsync(version)));

        Assert.False(IsResumed(await server.ConnectAsync(version, "-sess_out", _folder["session"])));
        Assert.False(IsResumed(await other.ConnectAsync(version, "-sess_in", _folder["session"])));
        Assert.True(IsResumed(await server.ConnectAsync(version, "-sess_in", _folder["session"])));
    }

    [Fact]
    public async Task Resumption_WithCiphers_IsOff()
    {
        // Not wanted but so: see the remarks of TlsPolicy. When this fails, the documentation is out of date.
        Use(("a", ["a.example"]));
        await using var server = new PolicyServer(Compile(Terminate("a") with { Ciphers = "HIGH" }));

        var (_, output) = await OpenSslCommand.RunAsync("s_client", "-connect", $"127.0.0.1:{server.Port}", "-tls1_2", "-reconnect");

        Assert.Equal(6, Regex.Count(output, "^New, TLSv1.2", RegexOptions.Multiline));
    }

    [Fact]
    public async Task Ciphers_ServerOrder_AlwaysWins()
    {
        Use(("a", ["a.example"]));
        await using var server = new PolicyServer(Compile(Terminate("a") with { Ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384" }));
        await using var reverse = new PolicyServer(Compile(Terminate("a") with { Ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256" }));
        await using var withoutList = new PolicyServer(Compile(Terminate("a")));
        const string client128 = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384";
        const string client256 = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256";

        Assert.Equal("ECDHE-ECDSA-AES128-GCM-SHA256", CipherOf(await server.ConnectAsync("-tls1_2", "-cipher", client128)));
        Assert.Equal("ECDHE-ECDSA-AES128-GCM-SHA256", CipherOf(await server.ConnectAsync("-tls1_2", "-cipher", client256)));
        Assert.Equal("ECDHE-ECDSA-AES256-GCM-SHA384", CipherOf(await reverse.ConnectAsync("-tls1_2", "-cipher", client128)));
        Assert.Equal("ECDHE-ECDSA-AES256-GCM-SHA384", CipherOf(await withoutList.ConnectAsync("-tls1_2", "-cipher", client128)));
        Assert.Equal("TLS_AES_256_GCM_SHA384", CipherOf(await server.ConnectAsync("-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384")));
    }

    [Fact]
    public async Task Ciphers_SuiteLeftOut_IsRefused()
    {
        Use(("a", ["a.example"]));
        await using var server = new PolicyServer(Compile(Terminate("a") with { Ciphers = "ECDHE+AESGCM" }));

        Assert.Equal("ECDHE-ECDSA-AES128-GCM-SHA256", CipherOf(await server.ConnectAsync("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")));
        Assert.Contains("handshake failure", await server.ConnectAsync("-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"), StringComparison.Ordinal);
        Assert.Equal("TLS_CHACHA20_POLY1305_SHA256", CipherOf(await server.ConnectAsync("-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256")));
    }

    [Theory]
    [InlineData(TlsVersion.Tls12, null)]
    [InlineData(TlsVersion.Tls12, "HIGH")]
    [InlineData(TlsVersion.Tls13, null)]
    [InlineData(TlsVersion.Tls13, "HIGH")]
    public async Task Protocols_OneVersion_RefusesTheOther(TlsVersion version, string? ciphers)
    {
        Use(("a", ["a.example"]));
        await using var server = new PolicyServer(Compile(Terminate("a") with { Protocols = [version], Ciphers = ciphers }));
        var (allowed, other) = version == TlsVersion.Tls12 ? ("-tls1_2", "-tls1_3") : ("-tls1_3", "-tls1_2");

        Assert.Contains(PolicyServer.Greeting, await server.ConnectAsync(allowed), StringComparison.Ordinal);
        Assert.Contains("alert protocol version", await server.ConnectAsync(other), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Protocols_OlderOnes_AreRefused()
    {
        Use(("a", ["a.example"]));
        await using var server = new PolicyServer(Compile(Terminate("a")));

        Assert.Contains("alert protocol version", await server.ConnectAsync("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Alpn_IsExactlyAsConfigured()
    {
        Use(("a", ["a.example"]));
        await using var none = new PolicyServer(Compile(Terminate("a")));
        await using var some = new PolicyServer(Compile(Terminate("a") with { Alpn = ["postgresql", "other"] }));

        Assert.Contains("No ALPN negotiated", await none.ConnectAsync("-alpn", "h2,http/1.1"), StringComparison.Ordinal);
        Assert.Contains("ALPN protocol: postgresql", await some.ConnectAsync("-alpn", "other,postgresql"), StringComparison.Ordinal);
        Assert.Contains("No ALPN negotiated", await some.ConnectAsync(), StringComparison.Ordinal);
        Assert.Contains("alert no application protocol", await some.ConnectAsync("-alpn", "h2"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TestKeyType.EcdsaP256)]
    [InlineData(TestKeyType.Rsa2048)]
    public async Task Chain_IsSentWithoutTheRoot(TestKeyType keyType)
    {
        var issued = TestCertificates.Shared.Issue(keyType, ["a.example"]);
        issued.WritePem(_folder, "a.pem", "a.key");
        File.AppendAllText(_folder["a.pem"], TestCertificates.Shared.Root.ExportCertificatePem());
        _folder.Write("root.pem", TestCertificates.Shared.Root.ExportCertificatePem());
        Commit("a");
        await using var server = new PolicyServer(Compile(Terminate("a")));

        var output = await server.ConnectAsync("-showcerts", "-CAfile", _folder["root.pem"], "-verify_hostname", "a.example", "-verify_return_error");

        Assert.Contains("Verify return code: 0 (ok)", output, StringComparison.Ordinal);
        Assert.Equal(2, Regex.Count(output, "-----BEGIN CERTIFICATE-----"));
    }

    [Fact]
    public async Task Handshake_AfterAReload_SendsTheNewCertificate()
    {
        Use(("a", ["a.example"]));
        await using var server = new PolicyServer(Compile(Terminate("a")));
        await server.ConnectAsync("-sess_out", _folder["session"]);

        var issued = Write("a", ["a.example"]);
        _clock.FireNext();
        _clock.FireNext();
        var output = await server.ConnectAsync("-showcerts", "-sess_in", _folder["session"]);

        Assert.False(IsResumed(output));
        Assert.Contains(issued.LeafPem.Trim().ReplaceLineEndings("\n"), output.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    private static RouteTlsConfig Terminate(params string[] certificates) => new() { Mode = TlsMode.Terminate, Certificates = certificates };

    private static bool IsResumed(string output)
    {
        Assert.Contains(PolicyServer.Greeting, output, StringComparison.Ordinal);
        return Regex.IsMatch(output, "^Reused, ", RegexOptions.Multiline);
    }

    private static string CipherOf(string output) => Regex.Match(output, @"^New, .*Cipher is (\S+)", RegexOptions.Multiline).Groups[1].Value;

    private static TlsPolicyBasis Basis(RouteTlsConfig config, ClientTrust? trust = null) => new("all", config, trust, TicketKeys: null, Ocsp: null);

    private TlsPolicy Compile(RouteTlsConfig config, TlsPolicy? previous = null) => TlsPolicy.Compile(Basis(config), _store.States, _store, previous);

    private void Use(params (string Id, string[] Names)[] certificates)
    {
        foreach (var (id, names) in certificates)
        {
            Write(id, names);
        }

        Commit([.. certificates.Select(certificate => certificate.Id)]);
    }

    private void Commit(params string[] ids)
    {
        var set = _store.Prepare(ids.ToDictionary(id => id, id => new CertificateConfig { Path = $"{id}.pem", KeyPath = $"{id}.key" }), _folder.Path);
        Assert.Empty(set.Errors);
        _store.Commit(set);
        _store.Watch();
    }

    private TestCertificate Write(string id, string[] names)
    {
        var issued = TestCertificates.Shared.Issue(names);
        issued.WritePem(_folder, $"{id}.pem", $"{id}.key");
        return issued;
    }
}
