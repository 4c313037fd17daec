using System.Globalization;
using System.Net.Security;
using KestrelStream.Tls;
using Xunit;

namespace KestrelStream.Tests.Tls;

public class CipherStringTests
{
    public static TheoryData<string> Strings => new(
        "HIGH:!aNULL:!MD5",
        "DEFAULT",
        "ALL",
        "ALL:!COMPLEMENTOFDEFAULT:!eNULL",
        "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM",
        "kECDHE",
        "kRSA",
        "aRSA",
        "aECDSA",
        "ECDSA+AES",
        "HIGH",
        "FIPS",
        "FIPS:!SHA1",
        "CBC",
        "ALL:eNULL:aNULL:@SECLEVEL=0",
        "HIGH:@STRENGTH",
        "AES128:AES256:@STRENGTH",
        "AES128:@STRENGTH:AES256",
        "ALL:@SECLEVEL=1",
        "ALL:@SECLEVEL=3",
        "ALL:@SECLEVEL=4",
        "@SECLEVEL=5:ALL",
        "DEFAULT:@SECLEVEL=0:@SECLEVEL=3",
        "DEFAULT@SECLEVEL=1",
        "DEFAULT!SHA1",
        "DEFAULT:-SHA:+AES256",
        "DEFAULT:+ECDHE",
        "DEFAULT+AES",
        "DEFAULT:-ECDHE:ECDHE+CHACHA20:ECDHE",
        "AES:-AES128:-AES256+SHA256:AES",
        "ALL:-AES:-CHACHA20:ALL",
        "HIGH:!kRSA:HIGH:kRSA",
        "CHACHA20:AESGCM",
        "AESCCM",
        "AESCCM8:AESCCM",
        "ARIA:CAMELLIA",
        "ARIA128:ARIA256:CAMELLIA256:CAMELLIA128",
        "TLSv1.2",
        "TLSv1.0:SSLv3",
        "TLSv1:!AES256",
        "SHA384:SHA256:SHA1",
        "kDHE:kEECDH",
        "EECDH+AESGCM:EDH+AESGCM",
        "ADH:AECDH:ECDHE",
        "PSK:SRP:kSRP:aPSK:RSA",
        "kPSK:kRSAPSK:kDHEPSK:kECDHEPSK:RSA+AES128",
        "COMPLEMENTOFDEFAULT",
        "COMPLEMENTOFDEFAULT+HIGH",
        "HIGH+COMPLEMENTOFDEFAULT",
        "COMPLEMENTOFALL:ECDHE+AESGCM",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:AES256-SHA",
        "ECDHE-RSA-AES128-GCM-SHA256, ECDHE-RSA-AES256-GCM-SHA384 ,AES128-SHA",
        "AES128-SHA AES256-SHA;AES128-SHA256",
        "AES128-SHA+HIGH:AES256-SHA+FIPS:COMPLEMENTOFDEFAULT+ECDHE-RSA-AES128-SHA",
        "AES128-GCM-SHA256+ECDHE:HIGH+FIPS:AES256-SHA",
        "HIGH!aNULL!MD5",
        "HIGH:+kRSA:+SHA1:!CAMELLIA",
        "::HIGH:,:!ARIA:",
        "MEDIUM:LOW:ECDHE",
        "TLS_AES_256_GCM_SHA384:ECDHE+AESGCM",
        // The lists of Mozilla's generator: intermediate and old.
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305",
        "@SECLEVEL=0:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256:DHE-RSA-AES256-SHA256:AES128-GCM-SHA256:AES256-SHA256:AES128-SHA:DES-CBC3-SHA",
        "kEECDH+ECDSA+AES128:kEECDH+ECDSA+AES256:kEECDH+AES128:kEECDH+AES256:kEDH+AES128:kEDH+AES256:DES-CBC3-SHA:+SHA:!aNULL:!eNULL:!LOW:!kECDH:!DSS:!MD5:!RC4:!EXP:!PSK:!SRP:!CAMELLIA:!SEED",
        "ECDH+AESGCM:DH+AESGCM:ECDH+AES256:DH+AES256:ECDH+AES128:DH+AES:RSA+AESGCM:RSA+AES:!aNULL:!MD5:!DSS:!GOST:!3DES:!IDEA");

    [Theory]
    [MemberData(nameof(Strings))]
    public async Task TryParse_String_GivesWhatOpenSslGives(string text) => await AssertSameAsOpenSslAsync(text);

    [Fact]
    public async Task TryParse_GeneratedStrings_GiveWhatOpenSslGives()
    {
        var random = new Random(20240607);
        string[] words =
        [
            "ALL", "HIGH", "FIPS", "AES", "AES128", "AES256", "AESGCM", "AESCCM", "AESCCM8", "CHACHA20", "CAMELLIA", "ARIA", "CBC", "kRSA", "RSA", "kDHE", "DHE", "ADH",
            "kECDHE", "ECDHE", "AECDH", "PSK", "SRP", "aRSA", "aECDSA", "aDSS", "aNULL", "eNULL", "MD5", "SHA1", "SHA256", "SHA384", "SSLv3", "TLSv1.0", "TLSv1.2",
            "COMPLEMENTOFDEFAULT", "COMPLEMENTOFALL", "MEDIUM", "RC4", .. CipherString.Suites.Select(suite => suite.Name).Where((_, i) => i % 6 == 0),
        ];
        for (var i = 0; i < 300; i++)
        {
            var rules = Enumerable.Range(0, random.Next(1, 9)).Select(_ => random.Next(20) switch
            {
                0 => "@STRENGTH",
                1 => $"@SECLEVEL={random.Next(6)}",
                var kind => (kind < 6 ? "!" : kind < 9 ? "-" : kind < 11 ? "+" : "") + string.Join('+', random.GetItems(words, random.Next(4) == 0 ? 2 : 1)),
            });
            await AssertSameAsOpenSslAsync(string.Join(':', rules.Prepend(random.Next(3) == 0 ? "DEFAULT" : "ALL")));
        }
    }

    [Fact]
    public async Task Suites_Table_IsOpenSsls()
    {
        var (_, output) = await OpenSslCommand.RunAsync("ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0");
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields.Length > 8 && fields[5] != "TLSv1.3")
            .ToArray();

        Assert.Equal(lines.Select(fields => fields[4]), CipherString.Suites.Select(suite => suite.Name));
        foreach (var (fields, suite) in lines.Zip(CipherString.Suites))
        {
            var id = fields[0].Split(',').Select(part => Convert.ToInt32(part, 16)).ToArray();
            Assert.Equal((id[0] << 8) | id[1], (int)suite.Id);
            Assert.Equal(fields[2], suite.Id.ToString());
            Assert.Equal(fields[5], suite.Introduced switch { CipherString.Introduced.Ssl30 => "SSLv3", CipherString.Introduced.Tls10 => "TLSv1", _ => "TLSv1.2" });
            Assert.Equal(fields[8].Contains("256", StringComparison.Ordinal) ? 256 : fields[8].Contains("128", StringComparison.Ordinal) ? 128 : 0, suite.StrengthBits);
        }
    }

    [Theory]
    [InlineData("HIGH:!FOO", "'FOO'")]
    [InlineData("HIGH:high", "did you mean 'HIGH'")]
    [InlineData("ECDHE+FOO:HIGH", "'FOO'")]
    [InlineData("TLSv1.3", "'TLSv1.3'")]
    [InlineData("HIGH:DEFAULT", "'DEFAULT'")]
    [InlineData("DEFAULTX", "'DEFAULTX'")]
    [InlineData("SUITEB128", "'SUITEB128'")]
    [InlineData("@STRONG", "'@STRONG'")]
    [InlineData("HIGH:@SECLEVEL=6", "'@SECLEVEL=6'")]
    [InlineData("HIGH:@SECLEVEL=", "'@SECLEVEL='")]
    [InlineData("HIGH:!", "ends where a word is expected")]
    [InlineData("HIGH:! MD5", "' ' where a word is expected")]
    [InlineData("HIGH+:AES", "':' where a word is expected")]
    [InlineData("HIGH:\"AES\"", "'\"' where a word is expected")]
    [InlineData("[ECDHE|AES]", "'[' where a word is expected")]
    [InlineData("", "no cipher suite is left")]
    [InlineData(":", "no cipher suite is left")]
    [InlineData("!ALL", "no cipher suite is left")]
    [InlineData("aNULL", "no cipher suite is left")]
    [InlineData("PSK:SRP:DSS:eNULL", "no cipher suite is left")]
    [InlineData("TLS_AES_128_GCM_SHA256", "no cipher suite is left")]
    [InlineData("DHE+AESGCM", "DH parameters")]
    public void TryParse_Mistake_IsNamed(string text, string expected)
    {
        Assert.False(CipherString.TryParse(text, out var suites, out var error));
        Assert.Empty(suites);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void TryParse_UnknownWord_SaysWhatWouldBeValid()
    {
        Assert.False(CipherString.TryParse("HIGH:!FOO", out _, out var error));
        Assert.Contains("valid are DEFAULT, ALL, HIGH", error, StringComparison.Ordinal);
    }

    private static async Task AssertSameAsOpenSslAsync(string text)
    {
        var (exitCode, output) = await OpenSslCommand.RunAsync("ciphers", "-s", "-tls1_2", "-v", text);
        Assert.True(exitCode == 0 || output.Contains("no cipher match", StringComparison.Ordinal), $"{text}: {output}");
        var expected = exitCode != 0 ? [] : output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields.Length > 4 && fields[3] is "Au=RSA" or "Au=ECDSA" && fields[4] != "Enc=None")
            .ToArray();

        var parsed = CipherString.TryParse(text, out var suites, out var error);
        if (expected.All(fields => fields[2] == "Kx=DH"))
        {
            Assert.False(parsed, text);
            return;
        }

        Assert.True(parsed, $"{text}: {error}");
        var names = suites.Select(suite => CipherString.Suites.Single(known => known.Id == suite).Name);
        Assert.True(
            expected.Select(fields => fields[0]).SequenceEqual(names),
            string.Create(CultureInfo.InvariantCulture, $"{text}\nopenssl: {string.Join(':', expected.Select(fields => fields[0]))}\nhere:    {string.Join(':', names)}"));
    }
}
