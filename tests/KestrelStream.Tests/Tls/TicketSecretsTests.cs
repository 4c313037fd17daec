using System.Security.Cryptography;
using KestrelStream.Tls.OpenSsl;
using KestrelStream.Tls.Tickets;
using Xunit;

namespace KestrelStream.Tests.Tls;

public sealed class TicketSecretsTests
{
    private static readonly byte[] s_policy = SHA256.HashData("a policy"u8);

    private readonly TicketKeySet _keys = new([RandomNumberGenerator.GetBytes(48), RandomNumberGenerator.GetBytes(80)]);

    [Fact]
    public void Derive_SameSecretAndPolicy_SameNames()
    {
        var one = TicketSecrets.Derive(_keys, s_policy);
        var other = TicketSecrets.Derive(new TicketKeySet([_keys.Secrets[1], _keys.Secrets[0]]), s_policy);

        Assert.Equal(1, other.IndexOf(one.NameOf(0)));
        Assert.Equal(0, other.IndexOf(one.NameOf(1)));
    }

    [Fact]
    public void Derive_OtherPolicyOrOtherSecret_NothingInCommon()
    {
        var one = TicketSecrets.Derive(_keys, s_policy);
        var otherPolicy = TicketSecrets.Derive(_keys, SHA256.HashData("another"u8));
        var otherSecret = TicketSecrets.Derive(new TicketKeySet([RandomNumberGenerator.GetBytes(48)]), s_policy);

        Assert.Equal(-1, otherPolicy.IndexOf(one.NameOf(0)));
        Assert.Equal(-1, otherSecret.IndexOf(one.NameOf(0)));
    }
}
