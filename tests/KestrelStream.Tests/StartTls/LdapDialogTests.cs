using KestrelStream.Configuration;
using KestrelStream.Preread.Detection;
using KestrelStream.StartTls;
using Xunit;

namespace KestrelStream.Tests.StartTls;

/// <summary>StartTLS of LDAP by its bytes: forms of BER, every cut, mutations.</summary>
public class LdapDialogTests
{
    private const string Oid = "312e332e362e312e342e312e313436362e3230303337";

    private static readonly StartTlsDialog s_ldap = StartTlsDialog.Of(StartTlsProtocol.Ldap);

    [Theory]
    [InlineData("301d02010177188016" + Oid)]
    [InlineData("30840000001d02010177188016" + Oid)]
    [InlineData("30812302040102030477811880811600")]
    [InlineData("30200204010203047718 8016" + Oid)]
    [InlineData("30818002010177811980 8116" + Oid)]
    public void Judge_FormsOfTheRequest_AreKnownOrRefusedByTheirLengths(string hex)
    {
        var bytes = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        var isWhole = hex.EndsWith(Oid, StringComparison.Ordinal) && !hex.StartsWith("308180", StringComparison.Ordinal);
        Assert.Equal(isWhole ? ProtocolVerdict.Yes : ProtocolVerdict.No, s_ldap.Judge(bytes));
    }

    [Theory]
    [InlineData("300c020101600702010304008000")]
    [InlineData("3025020101632004000a01000a0100020100020100010100870b6f626a656374436c6173733000")]
    [InlineData("301d0201017718801631 2e332e362e312e342e312e313436362e3230303338")]
    [InlineData("301e0201017718 8016" + Oid)]
    [InlineData("301d0200017718 8016" + Oid)]
    [InlineData("3080020101")]
    [InlineData("308500000000 1d")]
    [InlineData("3084ffffffff02")]
    [InlineData("16030100")]
    public void Judge_OtherOperations_AreNone(string hex)
        => Assert.Equal(ProtocolVerdict.No, s_ldap.Judge(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))));

    [Fact]
    public void Judge_EveryCutAndMutation_NeverTakesAVerdictBack()
    {
        var request = Convert.FromHexString("30840000001d0201017718 8016".Replace(" ", "", StringComparison.Ordinal) + Oid);
        var random = new Random(3);
        for (var round = 0; round < 5_000; round++)
        {
            var bytes = (byte[])request.Clone();
            if (round > 0)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            var last = ProtocolVerdict.NeedMore;
            for (var length = 1; length <= bytes.Length; length++)
            {
                var verdict = s_ldap.Judge(bytes.AsSpan(0, length));
                Assert.True(last == ProtocolVerdict.NeedMore || verdict == last, $"{last}, then {verdict} at byte {length} of {Convert.ToHexString(bytes)}");
                last = verdict;
            }

            Assert.True(round > 0 || last == ProtocolVerdict.Yes);
        }
    }
}
