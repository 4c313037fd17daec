using System.Security.Cryptography;
using System.Text;
using KestrelStream.StartTls;
using KestrelStream.StartTls.MySql;
using Xunit;

namespace KestrelStream.Tests.StartTls;

/// <summary>MySQL's packets before the relay: greetings of real servers, requests and logins; every cut, mutations, lies about lengths.</summary>
public class MySqlPacketTests
{
    private const string MySql97 =
        "4b0000000a392e372e342d32005800000042765b5c693f261300ffffff0200ffdf1500000000000000000000250a646f4e19797f756d3c520063616368696e675f736861325f70617373776f726400";

    private const string MariaDb1011 =
        "640000000a352e352e352d31302e31312e31392d4d6172696144422d302b646562313275310003000000233522482729367100fef7080200ff81150000000000001d000000594b4c7b462d4d7c4730553f006d7973716c5f6e61746976655f70617373776f726400";

    private const uint UsualCapabilities = 0x00bf_a685;
    private const uint Ssl = 0x800;

    [Theory]
    [InlineData(MySql97, true, "9.7.4-2", "42765b5c693f2613250a646f4e19797f756d3c52")]
    [InlineData(MariaDb1011, false, "5.5.5-10.11.19-MariaDB-0+deb12u1", "2335224827293671594b4c7b462d4d7c4730553f")]
    public void Greeting_OfRealServers_IsReadAndChangedInOneBit(string hex, bool hasTls, string version, string scramble)
    {
        var packet = Convert.FromHexString(hex);

        Assert.True(MySqlGreeting.TryParse(packet, out var greeting));
        Assert.True(MySqlGreeting.TryReadVersion(packet.AsSpan(4), out var read));

        Assert.Equal(version, Encoding.ASCII.GetString(read));
        Assert.Equal(hasTls, greeting!.HasTls);
        Assert.Equal(scramble, Convert.ToHexStringLower(greeting.Scramble));
        var changed = Enumerable.Range(0, packet.Length).Where(at => packet[at] != greeting.Packet[at]).ToArray();
        Assert.Equal(hasTls ? 0 : 1, changed.Length);
        Assert.All(changed, at => Assert.Equal(packet[at] | 0x08, greeting.Packet[at]));
    }

    [Fact]
    public void Greeting_EveryCutAndMutation_IsReadOrRefused()
    {
        var random = new Random(7);
        foreach (var whole in new[] { MySql97, MariaDb1011 }.Select(Convert.FromHexString))
        {
            var scrambleEnd = whole.AsSpan().LastIndexOf("_password"u8) - 20;
            for (var length = 4; length < whole.Length; length++)
            {
                Assert.True(!MySqlGreeting.TryParse(whole.AsSpan(0, length), out _) || length > scrambleEnd, $"{length}");
            }

            for (var round = 0; round < 20_000; round++)
            {
                var bytes = Mutate(whole, random);
                if (bytes.Length >= 4 && MySqlGreeting.TryParse(bytes, out var greeting))
                {
                    Assert.Equal(bytes.Length, greeting!.Packet.Length);
                    Assert.Equal(MySqlGreeting.ScrambleBytes, greeting.Scramble.Length);
                }
            }
        }
    }

    [Theory]
    [InlineData(9)]
    [InlineData(0xff)]
    [InlineData(0)]
    public void Greeting_OtherVersionOfTheProtocol_IsNone(byte version)
    {
        var packet = Convert.FromHexString(MySql97);
        packet[4] = version;

        Assert.False(MySqlGreeting.TryParse(packet, out _));
    }

    [Fact]
    public void Greeting_ServerBefore41_IsNone()
    {
        var packet = Convert.FromHexString(MariaDb1011);
        var capabilities = packet.AsSpan().IndexOf(Convert.FromHexString("fef7"));
        packet[capabilities + 1] &= 0x7d;

        Assert.False(MySqlGreeting.TryParse(packet, out _));
    }

    [Fact]
    public void Request_EveryCut_IsKnownAtItsEnd()
    {
        var request = Login(UsualCapabilities | Ssl)[..MySqlRequest.Bytes];
        request[0] = MySqlLogin.FixedBytes;
        for (var length = 0; length < request.Length; length++)
        {
            Assert.Null(MySqlRequest.Judge(request.AsSpan(0, length)));
        }

        Assert.Equal(StartTlsStatus.Ready, MySqlRequest.Judge(request));
    }

    [Fact]
    public void Request_ClearLogin_IsKnownByItsCapabilities()
    {
        var login = Login(UsualCapabilities);
        for (var length = 0; length <= MySqlRequest.Bytes; length++)
        {
            Assert.Equal(length < 8 ? null : StartTlsStatus.Clear, MySqlRequest.Judge(login.AsSpan(0, length)));
        }
    }

    [Theory]
    [InlineData("20000000 85aebf00")] // number 0
    [InlineData("20000002 85aebf00")] // number 2
    [InlineData("1f000001 85aebf00")] // shorter than a request
    [InlineData("21000001 85aebf00")] // longer, though it asks for TLS
    [InlineData("ffffff01 85aebf00")] // 16 MB
    [InlineData("20000001 85acbf00")] // before 4.1
    [InlineData("ffffffff")]
    [InlineData("16030100 00000000")] // TLS at once
    [InlineData("47455420 2f204854")] // GET / HT
    public void Request_AnythingElse_IsAViolation(string hex)
        => Assert.Equal(StartTlsStatus.Violation, MySqlRequest.Judge(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))));

    [Fact]
    public void Request_Mutations_NeverTakeAVerdictBack()
    {
        var random = new Random(11);
        var request = Login(UsualCapabilities | Ssl)[..MySqlRequest.Bytes];
        request[0] = MySqlLogin.FixedBytes;
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = (byte[])request.Clone();
            bytes[random.Next(10)] = (byte)random.Next(256);
            StartTlsStatus? last = null;
            for (var length = 0; length <= bytes.Length; length++)
            {
                var verdict = MySqlRequest.Judge(bytes.AsSpan(0, length));
                Assert.True(last is null || verdict == last, $"{last}, then {verdict} at byte {length} of {Convert.ToHexString(bytes)}");
                last = verdict;
            }
        }
    }

    [Theory]
    [InlineData(UsualCapabilities, "caching_sha2_password", 20)]
    [InlineData(UsualCapabilities & ~8u, "ed25519", 64)]
    [InlineData(UsualCapabilities, "sha256_password", 300)]
    [InlineData(UsualCapabilities & ~0x20_0000u, "mysql_native_password", 20)]
    [InlineData(UsualCapabilities & ~0x08_0000u, "", 20)]
    public void Login_OfEachShape_IsRead(uint capabilities, string method, int answerBytes)
    {
        var payload = Login(capabilities, method, answerBytes).AsSpan(4);

        Assert.True(MySqlLogin.TryParse(payload, out var login));

        Assert.Equal(method, login.Method);
        Assert.Equal(answerBytes, login.AnswerBytes);
        Assert.Equal(Enumerable.Repeat((byte)'p', answerBytes), payload[..login.Answer.End.Value][^answerBytes..].ToArray());
    }

    [Fact]
    public void Login_ClientBefore41_IsNone()
    {
        Assert.False(MySqlLogin.TryParse(Login(UsualCapabilities & ~0x200u).AsSpan(4), out _));
        Assert.False(MySqlLogin.TryParse(Login(UsualCapabilities & ~0x20_8000u).AsSpan(4), out _));
    }

    [Fact]
    public void Login_EveryCutAndMutation_IsReadOrRefused()
    {
        var random = new Random(5);
        foreach (var capabilities in new[] { UsualCapabilities, UsualCapabilities & ~0x20_0000u })
        {
            var whole = Login(capabilities, "caching_sha2_password", 32)[4..];
            Assert.True(MySqlLogin.TryParse(whole, out var first));
            for (var length = 0; length < whole.Length; length++)
            {
                Assert.Equal(length >= first.Answer.End.Value, MySqlLogin.TryParse(whole.AsSpan(0, length), out _));
            }

            for (var round = 0; round < 20_000; round++)
            {
                var bytes = Mutate(whole, random);
                if (MySqlLogin.TryParse(bytes, out var login))
                {
                    Assert.InRange(login.Answer.End.Value, 0, bytes.Length);
                    Assert.InRange(login.AnswerBytes, 0, login.Answer.GetOffsetAndLength(bytes.Length).Length);
                }
            }
        }
    }

    [Fact]
    public void PublicKey_Password_IsHiddenByTheScrambleAndEncrypted()
    {
        using var key = RSA.Create(2048);
        var scramble = Enumerable.Range(1, 20).Select(i => (byte)i).ToArray();
        var password = "a password that is longer than the scramble\0"u8.ToArray();
        var kept = (byte[])password.Clone();

        var encrypted = MySqlPublicKey.Encrypt(Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem() + "\n"), password, scramble);

        var hidden = key.Decrypt(encrypted!, RSAEncryptionPadding.OaepSHA1);
        Assert.Equal(kept, hidden.Select((b, i) => (byte)(b ^ scramble[i % scramble.Length])));
        Assert.NotEqual(kept, password);
    }

    [Fact]
    public void PublicKey_NoKeyOrTooSmallAOne_IsRefused()
    {
        using var key = RSA.Create(1024);
        using var curve = ECDsa.Create();
        using var large = RSA.Create(512);
        var scramble = new byte[20];
        foreach (var pem in new[] { "", "no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", curve.ExportSubjectPublicKeyInfoPem(), new string('x', 100_000), large.ExportSubjectPublicKeyInfoPem() })
        {
            Assert.Null(MySqlPublicKey.Encrypt(Encoding.ASCII.GetBytes(pem), new byte[30], scramble));
        }

        Assert.Null(MySqlPublicKey.Encrypt(Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem()), new byte[128], scramble));
    }

    /// <summary>Login of user "me" with a database, connection attributes and an answer of so many p.</summary>
    private static byte[] Login(uint capabilities, string method = "mysql_native_password", int answerBytes = 20)
    {
        var body = new List<byte>();
        body.AddRange(BitConverter.GetBytes(capabilities));
        body.AddRange(BitConverter.GetBytes(1 << 24));
        body.Add(45);
        body.AddRange(new byte[23]);
        body.AddRange("me\0"u8);
        var answer = Enumerable.Repeat((byte)'p', answerBytes);
        if ((capabilities & 0x20_0000) != 0)
        {
            body.AddRange(answerBytes < 251 ? [(byte)answerBytes] : [0xfc, (byte)answerBytes, (byte)(answerBytes >> 8)]);
            body.AddRange(answer);
        }
        else if ((capabilities & 0x8000) != 0)
        {
            body.Add((byte)answerBytes);
            body.AddRange(answer);
        }
        else
        {
            body.AddRange([.. answer, 0]);
        }

        if ((capabilities & 8) != 0)
        {
            body.AddRange("db\0"u8);
        }

        if ((capabilities & 0x08_0000) != 0)
        {
            body.AddRange([.. Encoding.ASCII.GetBytes(method), 0]);
        }

        return MySqlPacket.Create([.. body], number: 1);
    }

    private static byte[] Mutate(byte[] bytes, Random random)
    {
        var mutated = bytes.AsSpan(0, random.Next(4) == 0 ? random.Next(bytes.Length) : bytes.Length).ToArray();
        for (var i = random.Next(1, 4); i > 0 && mutated.Length > 0; i--)
        {
            mutated[random.Next(mutated.Length)] = (byte)(random.Next(3) == 0 ? 0xff : random.Next(256));
        }

        return mutated;
    }
}
