using System.Net.Security;
using KestrelStream.Tls;
using Xunit;

namespace KestrelStream.Tests.Tls;

public sealed class Tls13SuitesTests
{
    [Fact]
    public void TryParse_Names_InTheirOrder()
    {
        Assert.True(Tls13Suites.TryParse("TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256", out var suites, out var error));

        Assert.Null(error);
        Assert.Equal([TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, TlsCipherSuite.TLS_AES_128_GCM_SHA256], suites);
    }

    [Theory]
    [InlineData("", "\"\" is not a suite of TLS 1.3")]
    [InlineData("TLS_AES_128_GCM_SHA256:", "\"\" is not a suite of TLS 1.3")]
    [InlineData("tls_aes_128_gcm_sha256", "is not a suite of TLS 1.3; valid: TLS_AES_256_GCM_SHA384")]
    [InlineData("ECDHE-ECDSA-AES128-GCM-SHA256", "is not a suite of TLS 1.3")]
    [InlineData("TLS_AES_128_GCM_SHA256:TLS_AES_128_GCM_SHA256", "twice")]
    public void TryParse_AnythingElse_IsAnError(string text, string expected)
    {
        Assert.False(Tls13Suites.TryParse(text, out _, out var error));
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }
}
