using KestrelStream.Acme.Storage;
using KestrelStream.Configuration;
using KestrelStream.TestKit;
using KestrelStream.Tests.Tls;
using KestrelStream.Tls;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelStream.Tests.Acme;

/// <summary>A certificate by ACME in the store, before and after it is there, alone and beside others.</summary>
public sealed class AwaitedCertificateTests : IDisposable
{
    private const string Name = "www.example.com";

    private static readonly TestCertificates s_authority = TestCertificates.Shared;

    private readonly TempFolder _folder = new();
    private readonly WatchClock _clock = new();
    private readonly RecordingLogger<CertificateStore> _logger = new();
    private readonly CertificateStore _store;
    private readonly List<string> _changed = [];

    public AwaitedCertificateTests()
    {
        _store = new CertificateStore(_clock, _logger);
        _store.Changed += _changed.Add;
    }

    private CertificateState State => _store.States["www"];

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Watch_NothingThere_WaitsInSilence_AndTakesWhatComes()
    {
        var set = Start(Acme(AcmeUntilIssued.Refuse));
        Assert.Empty(set.Warnings);
        Fire(4);
        Assert.True(State.IsAwaited);
        Assert.Empty(State.Entries);
        Assert.Null(State.FirstToEnd);
        Assert.Empty(State.Refused);
        Assert.Contains("until then clients are refused", Assert.Single(_logger.Of(LogLevel.Warning)), StringComparison.Ordinal);

        var issued = Issue();
        Fire(2);
        Assert.Equal(issued.Leaf.RawData, State.Entries[0].Certificate);
        Assert.False(State.IsAwaited);
        Assert.Equal(["www"], _changed);
        Assert.Equal((1L, 0L), State.Changes);

        var renewed = Issue();
        Fire(2);
        Assert.Equal(renewed.Leaf.RawData, State.Entries[0].Certificate);
        Assert.Equal(["www", "www"], _changed);
    }

    [Fact]
    public void Prepare_StoredBefore_IsServedAtOnce_AndLeftToTheWatchAtReload()
    {
        var issued = Issue();
        Start(Acme(AcmeUntilIssued.SelfSigned));
        Assert.Equal(issued.Leaf.RawData, State.Entries[0].Certificate);
        Assert.Null(State.StandIn);

        File.Delete(_folder["acme", "www.pem"]);
        var again = _store.Prepare(Configs(Acme(AcmeUntilIssued.SelfSigned)), _folder.Path);
        Assert.Same(State, again.States["www"]);
        Fire(3);
        Assert.Equal(issued.Leaf.RawData, State.Entries[0].Certificate);
    }

    [Fact]
    public void Prepare_StoredIsDamaged_IsAWarning_AndAnotherIsAwaited()
    {
        _folder.Write("acme/www.pem", s_authority.Issue(Name).LeafPem);
        var set = Start(Acme(AcmeUntilIssued.Refuse));

        Assert.Empty(set.Errors);
        Assert.Equal("StreamProxy:Certificates:www:Acme:Storage", Assert.Single(set.Warnings).ConfigPath);
        Assert.True(State.IsAwaited);
        Assert.Single(State.Refused);

        File.Delete(_folder["acme", "www.pem"]);
        Fire(2);
        Assert.Empty(State.Refused);
        Issue();
        Fire(2);
        Assert.False(State.IsAwaited);
    }

    [Fact]
    public void Find_Refuse_NamesOfItsOwnAreRefused_OthersGetTheNextOfTheList()
    {
        var other = Other("other.example.com");
        Start(Acme(AcmeUntilIssued.Refuse), other);
        var group = GroupOf("www", "other");

        Assert.Null(group.Names.Find(Name));
        Assert.Equal("other", group.Names.Find("unknown.example.com")!.Leader.Id);

        Issue();
        Fire(2);
        Assert.Equal("www", group.Names.Find(Name)!.Leader.Id);
        Assert.Equal("www", group.Names.Find("unknown.example.com")!.Leader.Id);
    }

    [Theory]
    [InlineData(AcmeUntilIssued.Refuse, Name)]
    [InlineData(AcmeUntilIssued.SelfSigned, Name)]
    [InlineData(AcmeUntilIssued.SelfSigned, "*.example.com")]
    public void Find_AnotherCertificateHasTheName_ItIsShownAlone(AcmeUntilIssued until, string name)
    {
        // RSA: with a stand-in of another kind of key it would make a pair.
        var other = Other(s_authority.Issue(TestKeyType.Rsa2048, [name]));
        Start(Acme(until), other);

        var pair = GroupOf("www", "other").Names.Find(Name)!;

        Assert.Equal("other", pair.Leader.Id);
        Assert.Null(pair.Partner);
    }

    [Fact]
    public void Find_SelfSigned_StandInIsShown_AndIsInNoList()
    {
        Start(Acme(AcmeUntilIssued.SelfSigned));
        var group = GroupOf("www");

        var pair = group.Names.Find(Name)!;
        Assert.True(pair.Leader.IsStandIn);
        Assert.Same(pair, group.Names.Find(null));
        Assert.Empty(State.Entries);
        Assert.Null(State.FirstToEnd);

        Issue();
        Fire(2);
        Assert.False(group.Names.Find(Name)!.Leader.IsStandIn);
        Assert.False(group.Names.Has(pair));
    }

    [Theory]
    [InlineData(90, null, 14 * 24)]
    [InlineData(6, null, 24)]
    [InlineData(6, 2, 1)]
    public void Soon_ShortLife_IsHalfOfWhatRenewalLeaves(int days, int? renewBeforeHours, int soonHours)
    {
        var now = _clock.GetUtcNow();
        var issued = s_authority.Issue(TestKeyType.EcdsaP256, [Name], now, now.AddDays(days));
        new AcmeStorage(_folder["acme"]).WriteCertificate("www", new AcmeConfig { Directory = "https://acme.example.com/", Names = ["www.example.com"] }, issued.ChainPem, issued.KeyPem);
        var acme = Acme(AcmeUntilIssued.Refuse);
        Start(acme with { Acme = acme.Acme! with { RenewBefore = renewBeforeHours is { } hours ? TimeSpan.FromHours(hours) : null } });

        Assert.Equal(soonHours, State.Soon.TotalHours, tolerance: 0.01);
    }

    [Fact]
    public void Review_Awaited_SaysNothing()
    {
        var certificates = Configs(Acme(AcmeUntilIssued.SelfSigned));
        var config = new StreamProxyConfig
        {
            Certificates = certificates,
            Routes = new Dictionary<string, RouteConfig>
            {
                ["r"] = new() { Match = new RouteMatch { Sni = [Name, "missing.example.com"] }, Tls = new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["www"] } },
            },
        };

        var warnings = CertificateReview.Of(config, _store.Prepare(certificates, _folder.Path), _clock.GetUtcNow());

        Assert.Equal("StreamProxy:Routes:r:Match:Sni:1", Assert.Single(warnings).Path);
    }

    private static CertificateConfig Acme(AcmeUntilIssued until)
        => new() { Acme = new AcmeConfig { Directory = "https://acme.example.com/", Names = [Name], UntilIssued = until } };

    private static Dictionary<string, CertificateConfig> Configs(CertificateConfig acme) => new() { ["www"] = acme };

    private CertificateConfig Other(string name) => Other(s_authority.Issue(name));

    private CertificateConfig Other(TestCertificate certificate)
    {
        certificate.WritePem(_folder);
        return new CertificateConfig { Path = "fullchain.pem", KeyPath = "privkey.pem" };
    }

    private TestCertificate Issue()
    {
        var issued = s_authority.Issue(Name);
        new AcmeStorage(_folder["acme"]).WriteCertificate("www", new AcmeConfig { Directory = "https://acme.example.com/", Names = ["www.example.com"] }, issued.ChainPem, issued.KeyPem);
        return issued;
    }

    private CertificateSet Start(CertificateConfig acme, CertificateConfig? other = null)
    {
        var configs = Configs(acme);
        if (other is not null)
        {
            configs.Add("other", other);
        }

        var set = _store.Prepare(configs, _folder.Path);
        _store.Commit(set);
        _store.Watch();
        return set;
    }

    private CertificateGroup GroupOf(params string[] ids) => _store.GroupOf([.. ids.Select(id => _store.States[id])], UnknownName.Default);

    private void Fire(int times)
    {
        for (var i = 0; i < times; i++)
        {
            _clock.FireNext();
        }
    }
}
