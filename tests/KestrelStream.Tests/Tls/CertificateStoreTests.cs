using KestrelStream.Configuration;
using KestrelStream.TestKit;
using KestrelStream.Tls;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelStream.Tests.Tls;

public sealed class CertificateStoreTests : IDisposable
{
    private static readonly TestCertificates s_authority = TestCertificates.Shared;

    private readonly TempFolder _folder = new();
    private readonly WatchClock _clock = new();
    private readonly RecordingLogger<CertificateStore> _logger = new();
    private readonly CertificateStore _store;
    private readonly List<string> _changed = [];

    public CertificateStoreTests()
    {
        _store = new CertificateStore(_clock, _logger);
        _store.Changed += _changed.Add;
    }

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Prepare_GoodAndBad_GivesEveryErrorAndChangesNothing()
    {
        s_authority.Issue("a.example").WritePem(_folder);

        var set = _store.Prepare(new Dictionary<string, CertificateConfig>
        {
            ["good"] = new() { Path = "fullchain.pem", KeyPath = "privkey.pem" },
            ["missing"] = new() { Path = "none.pem" },
            ["keyless"] = new() { Path = "fullchain.pem" },
        }, _folder.Path);

        Assert.Equal(["good"], set.States.Keys);
        Assert.Equal([("missing", "Path"), ("keyless", "Path")], set.Errors.Select(error => (error.Id, error.Key)));
        Assert.Empty(_store.States);
        Assert.Equal(0, _store.Version);
        Assert.Throws<ArgumentException>(() => _store.Commit(set));
        Assert.Empty(_store.States);
    }

    [Fact]
    public void Prepare_SameConfigAgain_KeepsTheStateAndReadsOnlyWhatChanged()
    {
        Start(s_authority.Issue("a.example"));
        var state = _store.States["c"];
        var entry = state.Entries[0];

        var unchanged = Prepare();
        Assert.Same(state, unchanged.States["C"]);
        Assert.Empty(unchanged.Changed);
        Assert.Empty(unchanged.New);

        var next = Write(s_authority.Issue("a.example"));
        var changed = Prepare();
        Assert.Same(state, changed.States["c"]);
        Assert.Same(entry, state.Entries[0]);
        _store.Commit(changed);
        Assert.Equal(next.Leaf.Thumbprint, Thumbprint(state.Entries[0]));

        _folder.Write("fullchain.pem", "broken");
        Assert.Single(Prepare().Errors);
        Assert.Equal(next.Leaf.Thumbprint, Thumbprint(state.Entries[0]));
    }

    [Fact]
    public void Prepare_OtherPassword_IsAnotherCertificate()
    {
        Start(s_authority.Issue("a.example"));

        var set = _store.Prepare(Configs(Config with { Password = "x" }), _folder.Path);

        Assert.NotSame(_store.States["c"], set.States["c"]);
    }

    [Fact]
    public void Commit_LogsExpiryAndWarnings()
    {
        var now = _clock.GetUtcNow();
        Start(s_authority.Issue(TestKeyType.EcdsaP256, ["a.example", "b.example"], now.AddDays(-20), now.AddDays(-1)));

        Assert.Contains("Certificate c loaded from 'fullchain.pem': valid until ", Assert.Single(_logger.Of(LogLevel.Information)), StringComparison.Ordinal);
        Assert.EndsWith("for a.example, b.example", Assert.Single(_logger.Of(LogLevel.Information)), StringComparison.Ordinal);
        Assert.Contains("expired on", Assert.Single(_logger.Of(LogLevel.Warning)), StringComparison.Ordinal);
    }

    [Fact]
    public void Watch_PairReplaced_SwapsOnceItIsStable()
    {
        Start(s_authority.Issue("a.example"));
        var version = _store.Version;

        var next = Write(s_authority.Issue("a.example", "b.example"));
        _clock.FireNext();
        Assert.NotEqual(next.Leaf.Thumbprint, Thumbprint(Current));
        _clock.FireNext();

        Assert.Equal(next.Leaf.Thumbprint, Thumbprint(Current));
        Assert.Equal(["b.example"], Current.DnsNames.Skip(1));
        Assert.Equal(["c"], _changed);
        Assert.Equal(version + 1, _store.Version);
        Assert.Contains(_logger.Of(LogLevel.Information), message => message.StartsWith("Certificate c reloaded from ", StringComparison.Ordinal));
        Assert.Empty(_logger.Of(LogLevel.Warning));
    }

    [Fact]
    public void Watch_FileStillGrowing_IsNotTouched()
    {
        Start(s_authority.Issue("a.example"));
        var next = s_authority.Issue("a.example");
        var text = next.ChainPem;

        for (var length = 100; length < text.Length; length += 100)
        {
            _folder.Write("fullchain.pem", text[..length]);
            _clock.FireNext();
        }

        Assert.Empty(_logger.Of(LogLevel.Warning));
        Assert.Empty(_changed);
    }

    [Fact]
    public void Watch_HalfWrittenThenWhole_RefusesOnceThenSwaps()
    {
        Start(s_authority.Issue("a.example"));
        var old = Current;
        var next = s_authority.Issue("a.example");

        _folder.Write("privkey.pem", next.KeyPem);
        _folder.Write("fullchain.pem", next.ChainPem[..(next.ChainPem.Length / 3)]);
        Fire(60); // 30 s: it is tried again, and not logged again.

        Assert.Same(old, Current);
        var warning = Assert.Single(_logger.Of(LogLevel.Warning));
        Assert.StartsWith("Certificate c: its new files are refused and the old certificate stays", warning, StringComparison.Ordinal);
        Assert.Contains($"'{_folder["fullchain.pem"]}' is cut off or damaged", warning, StringComparison.Ordinal);

        _folder.Write("fullchain.pem", next.ChainPem);
        Fire(2);
        Assert.Equal(next.Leaf.Thumbprint, Thumbprint(Current));
        Assert.Single(_logger.Of(LogLevel.Warning));
    }

    [Fact]
    public void Watch_MismatchedThenCorrected_RefusesOnceThenSwaps()
    {
        Start(s_authority.Issue("a.example"));
        var old = Current;
        var next = s_authority.Issue("a.example");

        _folder.Write("fullchain.pem", next.ChainPem);
        Fire(10);
        Assert.Same(old, Current);
        Assert.Contains("does not match", Assert.Single(_logger.Of(LogLevel.Warning)), StringComparison.Ordinal);

        _folder.Write("privkey.pem", s_authority.Issue("a.example").KeyPem + "\n");
        Fire(10);
        Assert.Same(old, Current);
        Assert.Equal(2, _logger.Of(LogLevel.Warning).Count()); // Another state of the files, so another warning.

        _folder.Write("privkey.pem", next.KeyPem);
        Fire(2);
        Assert.Equal(next.Leaf.Thumbprint, Thumbprint(Current));
        Assert.Equal(["c"], _changed);
    }

    [Fact]
    public void Watch_RefusedThenRestored_IsQuiet()
    {
        var first = s_authority.Issue("a.example");
        Start(first);
        var old = Current;
        var written = File.GetLastWriteTimeUtc(_folder["fullchain.pem"]);

        File.Delete(_folder["fullchain.pem"]);
        Fire(3);
        Assert.Contains("does not exist", Assert.Single(_logger.Of(LogLevel.Warning)), StringComparison.Ordinal);

        File.SetLastWriteTimeUtc(_folder.Write("fullchain.pem", first.ChainPem), written);
        Fire(30);
        Assert.Same(old, Current);
        Assert.Single(_logger.Of(LogLevel.Warning));
        Assert.Empty(_changed);
    }

    [Fact]
    public void Watch_RefusedForAReasonNoFingerprintShows_IsTriedAgain()
    {
        Start(s_authority.Issue("a.example"));
        var next = Write(s_authority.Issue("a.example"));
        var written = File.GetLastWriteTimeUtc(_folder["privkey.pem"]);
        File.SetLastWriteTimeUtc(_folder.Write("privkey.pem", new string('x', next.KeyPem.Length)), written);
        Fire(3);
        Assert.Single(_logger.Of(LogLevel.Warning));

        File.SetLastWriteTimeUtc(_folder.Write("privkey.pem", next.KeyPem), written);
        Fire(3);
        Assert.Empty(_changed);
        Fire(20); // 10 s.
        Assert.Equal(["c"], _changed);
        Assert.Equal(next.Leaf.Thumbprint, Thumbprint(Current));
        Assert.Single(_logger.Of(LogLevel.Warning));
    }

    [Fact]
    public void Watch_Touched_ChangesNothing()
    {
        var first = s_authority.Issue("a.example");
        Start(first);
        var version = _store.Version;

        File.SetLastWriteTimeUtc(_folder["fullchain.pem"], DateTime.UtcNow.AddMinutes(1));
        Fire(3);

        Assert.Equal(version, _store.Version);
        Assert.Empty(_changed);
        Assert.Equal(CertificateFiles.Read(CertificatePaths.Of("c", Config, _folder.Path)), Current.Files);
    }

    [Fact]
    public void Watch_ExpiredCertificate_IsTakenWithAWarning()
    {
        Start(s_authority.Issue("a.example"));
        var now = _clock.GetUtcNow();

        var next = Write(s_authority.Issue(TestKeyType.EcdsaP256, ["a.example"], now.AddDays(-3), now.AddDays(-2)));
        Fire(2);

        Assert.Equal(next.Leaf.Thumbprint, Thumbprint(Current));
        Assert.Contains("expired on", Assert.Single(_logger.Of(LogLevel.Warning)), StringComparison.Ordinal);
    }

    [Fact]
    public void Watch_CertbotRenewal_IsFollowed()
    {
        s_authority.Issue("a.example").WritePem(_folder, "archive/name/fullchain1.pem", "archive/name/privkey1.pem");
        Link("live/name/fullchain.pem", "../../archive/name/fullchain1.pem");
        Link("live/name/privkey.pem", "../../archive/name/privkey1.pem");
        Start(new CertificateConfig { Path = "live/name/fullchain.pem", KeyPath = "live/name/privkey.pem" });

        var next = s_authority.Issue("a.example");
        next.WritePem(_folder, "archive/name/fullchain2.pem", "archive/name/privkey2.pem");
        Fire(3);
        Assert.Empty(_changed);

        Link("live/name/privkey.pem", "../../archive/name/privkey2.pem");
        Link("live/name/fullchain.pem", "../../archive/name/fullchain2.pem");
        Fire(2);
        Assert.Equal(next.Leaf.Thumbprint, Thumbprint(Current));
        Assert.Equal(["c"], _changed);
        Assert.Contains(_logger.Of(LogLevel.Information), message => message.Contains(_folder["archive", "name", "fullchain2.pem"], StringComparison.Ordinal));
        Assert.Empty(_logger.Of(LogLevel.Warning));
    }

    [Fact]
    public void Watch_KubernetesSecretUpdate_IsFollowed()
    {
        s_authority.Issue("a.example").WritePem(_folder, "..2024_1/tls.crt", "..2024_1/tls.key");
        Link("..data", "..2024_1");
        Link("tls.crt", "..data/tls.crt");
        Link("tls.key", "..data/tls.key");
        Start(new CertificateConfig { Path = "tls.crt", KeyPath = "tls.key" });

        var next = s_authority.Issue("a.example");
        next.WritePem(_folder, "..2024_2/tls.crt", "..2024_2/tls.key");
        Link("..data", "..2024_2");
        Directory.Delete(_folder["..2024_1"], recursive: true);
        Fire(2);

        Assert.Equal(next.Leaf.Thumbprint, Thumbprint(Current));
        Assert.Equal(["c"], _changed);
        Assert.Empty(_logger.Of(LogLevel.Warning));
    }

    [Fact]
    public void Watch_EncryptedKeyAndPfx_AreFollowed()
    {
        var first = s_authority.Issue("a.example");
        _folder.Write("a.pfx", first.Pfx("secret"));
        Start(new CertificateConfig { Path = "a.pfx", Password = "secret" });

        var next = s_authority.Issue("a.example");
        _folder.Write("a.pfx", next.Pfx("another"));
        Fire(3);
        Assert.Contains("wrong password", Assert.Single(_logger.Of(LogLevel.Warning)), StringComparison.Ordinal);
        Assert.Equal(first.Leaf.Thumbprint, Thumbprint(Current));

        _folder.Write("a.pfx", next.Pfx("secret"));
        Fire(2);
        Assert.Equal(next.Leaf.Thumbprint, Thumbprint(Current));
    }

    [Fact]
    public void Watch_ConfigThatDropsACertificate_StopsWatchingIt()
    {
        Start(s_authority.Issue("a.example"));
        var dropped = _store.States["c"];
        Write(s_authority.Issue("a.example"));
        _clock.FireNext();

        _store.Commit(_store.Prepare(ConfigMap.Empty<CertificateConfig>(), _folder.Path));
        var entry = dropped.Entries[0];
        Fire(3);

        Assert.Same(entry, dropped.Entries[0]);
        Assert.Empty(_store.States);
    }

    [Fact]
    public void Watch_HandlerThrows_GoesOn()
    {
        Start(s_authority.Issue("a.example"));
        _store.Changed += _ => throw new InvalidOperationException("A handler's own mistake.");

        Write(s_authority.Issue("a.example"));
        Fire(2);
        Write(s_authority.Issue("a.example"));
        Fire(2);

        Assert.Equal(["c", "c"], _changed);
        Assert.Equal(2, _logger.Of(LogLevel.Error).Count());
    }

    [Fact]
    public void Dispose_StopsTheClock()
    {
        Start(s_authority.Issue("a.example"));
        Assert.True(_clock.IsArmed);

        _store.Dispose();

        Assert.False(_clock.IsArmed);
        Assert.Throws<ObjectDisposedException>(_store.Watch);
    }

    [Fact]
    public async Task Watch_RealClock_SwapsWithinSeconds()
    {
        Write(s_authority.Issue("a.example"));
        using var store = new CertificateStore(TimeProvider.System, _logger);
        store.Commit(store.Prepare(Configs(Config), _folder.Path));
        var changed = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        store.Changed += id => changed.TrySetResult(id);
        store.Watch();

        var next = Write(s_authority.Issue("a.example"));

        Assert.Equal("c", await changed.Task.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal(next.Leaf.Thumbprint, Thumbprint(store.States["c"].Entries[0]));
    }

    private static CertificateConfig Config { get; } = new() { Path = "fullchain.pem", KeyPath = "privkey.pem" };

    private CertificateEntry Current => _store.States["c"].Entries[0];

    private static string Thumbprint(CertificateEntry entry) => System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(entry.Certificate).Thumbprint;

    private static Dictionary<string, CertificateConfig> Configs(CertificateConfig config) => new() { ["c"] = config };

    private CertificateSet Prepare() => _store.Prepare(Configs(Config), _folder.Path);

    private void Start(TestCertificate certificate)
    {
        Write(certificate);
        Start(Config);
    }

    private void Start(CertificateConfig config)
    {
        var set = _store.Prepare(Configs(config), _folder.Path);
        Assert.Empty(set.Errors);
        _store.Commit(set);
        _store.Watch();
    }

    private TestCertificate Write(TestCertificate certificate)
    {
        certificate.WritePem(_folder);
        return certificate;
    }

    private void Fire(int times)
    {
        for (var i = 0; i < times; i++)
        {
            _clock.FireNext();
        }
    }

    /// <summary>Makes a link, or swaps it; the clock stands still in between.</summary>
    private void Link(string name, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        File.Delete(_folder[name]);
        File.CreateSymbolicLink(_folder[name], target);
    }
}
