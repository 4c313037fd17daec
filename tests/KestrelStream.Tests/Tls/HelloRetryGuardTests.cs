using System.Security.Cryptography;
using KestrelStream.TestKit;
using KestrelStream.Tls;
using Xunit;

namespace KestrelStream.Tests.Tls;

public sealed class HelloRetryGuardTests
{
    private const string Name = "a.example.com";
    private const int MaxBytes = 4096;

    /// <summary>SHA-256 of "HelloRetryRequest".</summary>
    private static readonly byte[] s_retryRandom = SHA256.HashData("HelloRetryRequest"u8);

    private static readonly byte[] s_first = HelloFor(Name);
    private static readonly byte[] s_changeCipherSpec = [20, 3, 3, 0, 1, 1];

    /// <summary>Finished of a resumed session of TLS 1.2: its first byte, of the nonce, may be that of a ClientHello.</summary>
    [Fact]
    public void Inspect_EncryptedRecordThatLooksLikeAHello_IsNoneWithoutARetry()
    {
        var guard = Guard();
        Assert.True(guard.Inspect(s_first));
        guard.InspectAnswer(ServerHello(new byte[32]));

        Assert.True(guard.Inspect([.. s_changeCipherSpec, 22, 3, 3, 0, 40, 1, .. new byte[39]]));
        Assert.False(guard.IsViolated);
    }

    [Theory]
    [InlineData(Name, true)]
    [InlineData("b.example.com", false)]
    [InlineData(null, false)]
    public void Inspect_SecondHello_MustNameTheSame(string? name, bool isGood)
    {
        foreach (var size in new[] { 1, 7, 5000 })
        {
            var guard = Guard();
            Assert.True(guard.Inspect(s_first));
            guard.InspectAnswer(ServerHello(s_retryRandom));

            var passed = true;
            foreach (var piece in ((byte[])[.. s_changeCipherSpec, .. HelloFor(name)]).Chunk(size))
            {
                passed = passed && guard.Inspect(piece);
            }

            Assert.Equal((isGood, !isGood), (passed, guard.IsViolated));
        }
    }

    [Theory]
    [InlineData(Name, true)]
    [InlineData("b.example.com", false)]
    public void Inspect_SecondHelloBeforeTheAnswer_IsLookedAtAllTheSame(string name, bool isGood)
    {
        var guard = Guard();
        Assert.True(guard.Inspect([.. s_first, .. HelloFor(name)]));
        guard.InspectAnswer(ServerHello(s_retryRandom));

        Assert.Equal(isGood, guard.Inspect(s_changeCipherSpec));
    }

    [Fact]
    public void Inspect_NoAnswerAndNoEndOfBytes_IsAViolation()
    {
        var guard = Guard();
        Assert.True(guard.Inspect(s_first));
        Assert.True(guard.Inspect(new byte[MaxBytes]));
        Assert.False(guard.Inspect(new byte[1]));
    }

    private static HelloRetryGuard Guard() => new(Name, s_first.Length, MaxBytes);

    private static byte[] HelloFor(string? name) => name is null ? new ClientHelloBuilder().WithExtension(ClientHelloBuilder.KeyShareExtension, [0, 0]).Build() : ClientHelloBuilder.Browser(name).Build();

    /// <summary>The beginning of one, in a record.</summary>
    private static byte[] ServerHello(byte[] random) => [22, 3, 3, 0, 80, 2, 0, 0, 76, 3, 3, .. random, .. new byte[42]];
}
