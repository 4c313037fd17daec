using KestrelStream.Configuration;
using KestrelStream.TestKit;
using KestrelStream.Tls;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelStream.Tests.Tls;

/// <summary>A folder of certificates in the store: what is found, what is followed, what is refused.</summary>
public sealed class CertificateFolderTests : IDisposable
{
    private static readonly TestCertificates s_authority = TestCertificates.Shared;

    private readonly TempFolder _folder = new();
    private readonly WatchClock _clock = new();
    private readonly RecordingLogger<CertificateStore> _logger = new();
    private readonly CertificateStore _store;
    private readonly List<string> _changed = [];

    public CertificateFolderTests()
    {
        _store = new CertificateStore(_clock, _logger);
        _store.Changed += _changed.Add;
        Directory.CreateDirectory(_folder["certs"]);
    }

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Prepare_EveryForm_IsFoundAndTheRestPassedOver()
    {
        Write("pair", "pair.example");
        _folder.Write("certs/both.pem", Combined(s_authority.Issue("both.example")));
        _folder.Write("certs/bundle.pfx", s_authority.Issue("pfx.example").Pfx("secret"));
        _folder.Write("certs/locked.crt", s_authority.Issue("locked.example").ChainPem);
        var locked = s_authority.Issue("locked.example");
        locked.WritePem(_folder, "certs/locked.crt", "certs/locked.key");
        _folder.Write("certs/locked.key", locked.EncryptedKeyPem("secret"));
        Live("site", s_authority.Issue("live.example"));
        _folder.Write("certs/ca.crt", s_authority.Issue("ca.example").LeafPem);
        _folder.Write("certs/ca.pem", s_authority.Issue("ca.example").LeafPem);
        _folder.Write("certs/lonely.key", s_authority.Issue("lonely.example").KeyPem);
        _folder.Write("certs/README", "text");
        _folder.Write("certs/.hidden.pem", "not finished");
        _folder.Write("certs/live/site/deeper/a.pem", "not looked at");

        Start(password: "secret");

        Assert.Equal(["both.example", "live.example", "locked.example", "pair.example", "pfx.example"], Names());
        Assert.Empty(_logger.Of(LogLevel.Warning));
        Assert.Empty(State.Refused);
    }

    [Fact]
    public void Prepare_BadPairs_AreRefusedAndTheOthersServed()
    {
        Write("good", "good.example");
        Write("mixed", "mixed.example");
        _folder.Write("certs/mixed.key", s_authority.Issue("mixed.example").KeyPem);
        var half = s_authority.Issue("half.example");
        half.WritePem(_folder, "certs/half.crt", "certs/half.key");
        _folder.Write("certs/half.crt", half.ChainPem[..200]);
        _folder.Write("certs/locked.pfx", s_authority.Issue("locked.example").Pfx("secret"));

        Start();

        Assert.Equal(["good.example"], Names());
        Assert.Equal(["half.crt", "locked.pfx", "mixed.crt"], State.Refused.Select(refused => Path.GetFileName(refused.Path)).Order());
        Assert.Equal(3, _logger.Of(LogLevel.Warning).Count());
    }

    [Fact]
    public void Prepare_NoFolder_IsAnError_AndAnEmptyOneIsNot()
    {
        _folder.Write("file", "");

        Assert.EndsWith("does not exist", Assert.Single(Prepare("none").Errors).Message, StringComparison.Ordinal);
        Assert.EndsWith("is a file, not a folder", Assert.Single(Prepare("file").Errors).Message, StringComparison.Ordinal);
        Assert.Empty(Prepare("certs").Errors);
    }

    [Fact]
    public void Watch_NewChangedAndRemoved_AreFollowed()
    {
        Write("a", "a.example");
        Write("b", "b.example");
        Start();

        var next = Write("a", "a.example");
        Write("c", "c.example");
        File.Delete(_folder["certs", "b.crt"]);
        File.Delete(_folder["certs", "b.key"]);
        _clock.FireNext();
        Assert.Equal(["a.example", "b.example"], Names());
        _clock.FireNext();

        Assert.Equal(["a.example", "c.example"], Names());
        Assert.Contains(State.Entries, entry => entry.Certificate.AsSpan().SequenceEqual(next.Leaf.RawData));
        Assert.Equal(["dir"], _changed);
        Assert.Contains(_logger.Of(LogLevel.Information), message => message.Contains("b.crt' is gone", StringComparison.Ordinal));
    }

    [Fact]
    public void Watch_CertbotLinks_AreFollowed()
    {
        Live("site", s_authority.Issue("old.example"));
        Start();

        Live("site", s_authority.Issue("new.example"));
        Fire(2);

        Assert.Equal(["new.example"], Names());
        Assert.Empty(_logger.Of(LogLevel.Warning));
    }

    [Fact]
    public void Watch_FolderIsALinkThatIsSwapped_IsFollowed()
    {
        s_authority.Issue("old.example").WritePem(_folder, "v1/a.crt", "v1/a.key");
        s_authority.Issue("new.example").WritePem(_folder, "v2/a.crt", "v2/a.key");
        Directory.Delete(_folder["certs"]);
        Directory.CreateSymbolicLink(_folder["certs"], "v1");
        Start();

        File.Delete(_folder["certs"]);
        Directory.CreateSymbolicLink(_folder["certs"], "v2");
        Fire(2);

        Assert.Equal(["new.example"], Names());
    }

    [Fact]
    public void Watch_HalfWrittenMismatchedOrWithoutKey_KeepsTheOld_UntilItIsWhole()
    {
        Write("a", "a.example");
        Start();
        var old = State.Entries[0];
        var next = s_authority.Issue("a.example", "b.example");

        _folder.Write("certs/a.crt", next.ChainPem[..300]);
        Fire(3);
        Assert.Same(old, State.Entries[0]);
        Assert.Contains("cut off or damaged", Assert.Single(State.Refused).Reason, StringComparison.Ordinal);
        Assert.True(State.Refused[0].IsOldServed);

        _folder.Write("certs/a.crt", next.ChainPem);
        Fire(3);
        Assert.Contains("does not match", Assert.Single(State.Refused).Reason, StringComparison.Ordinal);

        File.Delete(_folder["certs", "a.key"]);
        Fire(3);
        Assert.Same(old, State.Entries[0]);
        Assert.Contains("does not exist", Assert.Single(State.Refused).Reason, StringComparison.Ordinal);

        _folder.Write("certs/a.key", next.KeyPem);
        Fire(3);
        Assert.Equal(["a.example", "b.example"], Names());
        Assert.Empty(State.Refused);
        Assert.Equal((1, 3), State.Changes);
        Assert.Equal(3, _logger.Of(LogLevel.Warning).Count());
    }

    [Fact]
    public void Watch_FolderGone_KeepsWhatWasLoaded()
    {
        Write("a", "a.example");
        Start();

        Directory.Move(_folder["certs"], _folder["away"]);
        Fire(5);
        Assert.Equal(["a.example"], Names());
        Assert.Contains("does not exist", State.WhyUnreadable, StringComparison.Ordinal);
        Assert.Contains("stay", Assert.Single(_logger.Of(LogLevel.Warning)), StringComparison.Ordinal);

        Directory.Move(_folder["away"], _folder["certs"]);
        Fire(1);
        Assert.Null(State.WhyUnreadable);
    }

    [Fact]
    public void Watch_RefusedByWhoUsesIt_KeepsTheOld()
    {
        Write("a", "a.example");
        Start();
        _store.WhyNotUsable = (_, entry) => entry.DnsNames.Contains("bad.example") ? "too weak" : null;

        Write("a", "bad.example");
        Fire(3);

        Assert.Equal(["a.example"], Names());
        Assert.EndsWith("too weak", Assert.Single(State.Refused).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.example", "longer")]
    [InlineData("b.example", "wildcard")]
    [InlineData("c.example", "wildcard")]
    [InlineData("a.b.example", null)]
    [InlineData("other.test", null)]
    [InlineData(null, null)]
    public void Names_Overlap_ExactBeforeWildcard_ThenTheLongestValid(string? serverName, string? expected)
    {
        var now = _clock.GetUtcNow();
        Write("wildcard", ["*.example"], now.AddDays(80));
        Write("shorter", ["a.example"], now.AddDays(10));
        Write("longer", ["a.example"], now.AddDays(20));
        Write("later", ["a.example"], now.AddDays(90), notBefore: now.AddDays(1));
        Start();

        var pair = _store.GroupOf([State], UnknownName.Reject).Names.Find(serverName);

        Assert.Equal(expected, pair is null ? null : Path.GetFileNameWithoutExtension(pair.Leader.Files.Certificate.Target));
        Assert.Equal(2, _logger.Of(LogLevel.Information).Count(message => message.Contains("is shown for a.example", StringComparison.Ordinal)));
    }

    [Fact]
    public void Watch_CertificateBecomesValid_IsShownThen()
    {
        var now = _clock.GetUtcNow();
        Write("now", ["a.example"], now.AddDays(20));
        Write("later", ["a.example"], now.AddDays(90), notBefore: now.AddHours(1));
        Start();
        var group = _store.GroupOf([State], UnknownName.Reject);
        Assert.EndsWith("now.crt", group.Names.Find("a.example")!.Leader.Files.Certificate.Target, StringComparison.Ordinal);

        _clock.Advance(TimeSpan.FromHours(2));
        Fire(1);

        Assert.EndsWith("later.crt", group.Names.Find("a.example")!.Leader.Files.Certificate.Target, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_RsaAndEcdsa_AreOnePair_AndKeepIt()
    {
        s_authority.Issue(TestKeyType.Rsa2048, ["a.example"]).WritePem(_folder, "certs/rsa.crt", "certs/rsa.key");
        Write("ecdsa", "a.example");
        Write("other", "b.example");
        Start();
        var group = _store.GroupOf([State], UnknownName.Reject);
        var (pair, other) = (group.Names.Find("a.example")!, group.Names.Find("b.example")!);
        Assert.EndsWith("ecdsa.crt", pair.Leader.Files.Certificate.Target, StringComparison.Ordinal);
        Assert.EndsWith("rsa.crt", pair.Partner!.Files.Certificate.Target, StringComparison.Ordinal);

        Write("other", "b.example");
        Fire(2);

        Assert.Same(pair, group.Names.Find("a.example"));
        Assert.NotSame(other, group.Names.Find("b.example"));
        Assert.Same(group, _store.GroupOf([State], UnknownName.Reject));
    }

    [Fact]
    public void Prepare_KeyThatEveryoneCanRead_IsAWarning_UnlessAFolderAboveIsClosed()
    {
        Write("a", "a.example");
        var key = _folder["certs", "a.key"];
        Assert.False(KeyFileAccess.IsOpenToAll(key)); // The folder of the test is its user's alone.

        File.SetUnixFileMode(_folder.Path, File.GetUnixFileMode(_folder.Path) | UnixFileMode.OtherExecute);
        Assert.True(KeyFileAccess.IsOpenToAll(key));
        Start();
        Assert.Contains("can be read by every user", Assert.Single(_logger.Of(LogLevel.Warning)), StringComparison.Ordinal);

        File.SetUnixFileMode(key, UnixFileMode.UserRead);
        Assert.False(KeyFileAccess.IsOpenToAll(key));
    }

    private CertificateState State => _store.States["dir"];

    private string[] Names() => [.. State.Entries.SelectMany(entry => entry.DnsNames).Order(StringComparer.Ordinal)];

    private static string Combined(TestCertificate certificate) => certificate.ChainPem + certificate.KeyPem;

    private TestCertificate Write(string name, params string[] dnsNames) => Write(name, dnsNames, notAfter: null);

    private TestCertificate Write(string name, string[] dnsNames, DateTimeOffset? notAfter, DateTimeOffset? notBefore = null)
    {
        var certificate = s_authority.Issue(TestKeyType.EcdsaP256, dnsNames, notBefore, notAfter);
        certificate.WritePem(_folder, $"certs/{name}.crt", $"certs/{name}.key");
        return certificate;
    }

    /// <summary>As certbot lays them out, the archive elsewhere.</summary>
    private void Live(string name, TestCertificate certificate)
    {
        var version = Guid.NewGuid().ToString("N");
        certificate.WritePem(_folder, $"archive/{name}/fullchain{version}.pem", $"archive/{name}/privkey{version}.pem");
        Directory.CreateDirectory(_folder["certs", name]);
        foreach (var file in new[] { "fullchain", "privkey" })
        {
            File.Delete(_folder["certs", name, $"{file}.pem"]);
            File.CreateSymbolicLink(_folder["certs", name, $"{file}.pem"], $"../../archive/{name}/{file}{version}.pem");
        }

        _folder.Write($"certs/{name}/cert.pem", certificate.LeafPem);
        _folder.Write($"certs/{name}/chain.pem", certificate.ChainPem[certificate.LeafPem.Length..]);
    }

    private CertificateSet Prepare(string directory, string? password = null)
        => _store.Prepare(new Dictionary<string, CertificateConfig> { ["dir"] = new() { Directory = directory, Password = password } }, _folder.Path);

    private void Start(string? password = null)
    {
        var set = Prepare("certs", password);
        Assert.Empty(set.Errors);
        _store.Commit(set);
        _store.Watch();
    }

    private void Fire(int times)
    {
        for (var i = 0; i < times; i++)
        {
            _clock.FireNext();
        }
    }
}
