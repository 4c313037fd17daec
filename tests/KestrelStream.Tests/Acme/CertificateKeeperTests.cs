using System.Net;
using System.Text.Json;
using KestrelStream.Acme.Challenges;
using KestrelStream.Acme.Issuing;
using KestrelStream.Acme.Protocol;
using KestrelStream.Acme.Storage;
using KestrelStream.Configuration;
using KestrelStream.TestKit;
using KestrelStream.Tls;
using Xunit;

namespace KestrelStream.Tests.Acme;

/// <summary>One certificate over months, with a clock that is turned by hand.</summary>
public sealed class CertificateKeeperTests : IAsyncLifetime
{
    /// <summary>Timers drop what is below a millisecond.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(2);

    private readonly FakeTimeProvider _clock = new();
    private readonly TempFolder _folder = new();
    private readonly TestKit.RecordingLogger _log = new();
    private readonly ScriptedAuthority _authority;
    private readonly AcmeStorage _storage;
    private AcmeAuthority? _account;
    private CertificateKeeper? _keeper;
    private int _written;

    public CertificateKeeperTests()
    {
        _authority = new ScriptedAuthority(_clock);
        _storage = new AcmeStorage(_folder["acme"]);
    }

    private static AcmeConfig Config => new() { Directory = ScriptedAuthority.Url, Names = ["www.example.com"] };

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_keeper is not null)
        {
            await _keeper.DisposeAsync().AsTask().WaitAsync(Wait.Limit);
        }

        _account?.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task NoSuggestion_RenewsAfterTwoThirdsOfLife()
    {
        Start(Config);
        await IssuedAsync(1);
        var first = _storage.ReadCertificate("www")!;

        var planned = _keeper!.Issuance.Next!.Value - first.NotBefore;
        Assert.InRange(planned.TotalDays, 58, 60);

        await AdvanceAsync(TimeSpan.FromDays(57));
        Assert.Equal(1, _keeper.Issuance.Issued);
        await AdvanceAsync(TimeSpan.FromDays(4));
        await IssuedAsync(2);
        Assert.NotEqual(first.Leaf.SerialNumber, _storage.ReadCertificate("www")!.Leaf.SerialNumber);
    }

    [Fact]
    public async Task StoredFileHasNoKey_IsOrderedAgain_AndTheWriteIsTold()
    {
        _folder.Write("acme/www.pem", TestCertificates.Shared.Issue("www.example.com").ChainPem);
        Start(Config);
        await IssuedAsync(1);

        Assert.Equal(1, _written);
        Assert.NotNull(_storage.ReadCertificate("www"));
    }

    [Fact]
    public async Task StoredAccountIsDamaged_IsMadeAnew()
    {
        _storage.WriteAccount(new StoredAccount { Directory = ScriptedAuthority.Url, Key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", Url = "https://acme.test/lost" }, keyId: null);
        Start(Config);
        await IssuedAsync(1);

        Assert.NotEqual("https://acme.test/lost", _storage.ReadAccount(ScriptedAuthority.Url, keyId: null)!.Url);
    }

    [Fact]
    public async Task StorageCannotBeWritten_IsAFailureThatSaysSo_AndOneThatPasses()
    {
        _folder.Write("acme", "a file where the folder should be");
        Start(Config);
        await Wait.UntilAsync(() => _keeper!.Issuance is { Failed: 1, State: IssuanceState.BackingOff }, "the failure");
        Assert.Contains($"'{_storage.Folder}' cannot be written", _keeper!.Issuance.LastError, StringComparison.Ordinal);

        File.Delete(_storage.Folder);
        await AdvanceAsync(TimeSpan.FromMinutes(3));
        await IssuedAsync(1);
    }

    [Fact]
    public async Task AuthoritySuggestsAWindow_RenewsInIt_AndSaysWhatIsReplaced()
    {
        var now = _clock.GetUtcNow();
        _authority.Window = (now.AddDays(20), now.AddDays(21));
        Start(Config);
        await IssuedAsync(1);
        Assert.InRange(_keeper!.Issuance.Next!.Value, now.AddDays(20), now.AddDays(21));
        var replaced = RenewalId.Of(_storage.ReadCertificate("www")!.Leaf);

        // It has changed its mind: a key was lost, all are to be renewed now.
        await AdvanceAsync(TimeSpan.FromDays(2));
        _authority.Window = (now.AddDays(-2), now.AddDays(-1));
        await AdvanceAsync(TimeSpan.FromHours(7));
        await IssuedAsync(2);

        // The window is that of the new one too, and in the past; still it is used for a day.
        Assert.InRange(_keeper.Issuance.Next!.Value - _clock.GetUtcNow(), TimeSpan.FromHours(24 - 7), TimeSpan.FromHours(25));
        var order = _authority.Payloads.Last(payload => payload.Path == "/order").Payload;
        using var document = JsonDocument.Parse(order);
        Assert.Equal(replaced, document.RootElement.GetProperty("replaces").GetString());
    }

    [Fact]
    public async Task AuthorityFails_WaitsLongerEachTime_AndNeverLessThanItAsksFor()
    {
        _authority.Lie = path => path == "/order" ? ScriptedAuthority.Problem(HttpStatusCode.InternalServerError, "serverInternal") : null;
        var waits = new List<double>();
        Start(Config);
        for (var failures = 1; failures <= 4; failures++)
        {
            var expected = failures;
            await Wait.UntilAsync(() => _keeper!.Issuance is { State: IssuanceState.BackingOff } issuance && issuance.Failed == expected, "the failure");
            var wait = _keeper!.Issuance.Next!.Value - _clock.GetUtcNow();
            waits.Add(wait.TotalMinutes);
            await AdvanceAsync(wait + Tick);
        }

        Assert.Equal([true, true, true, true], waits.Select((wait, i) => wait >= Math.Pow(2, i + 1) && wait <= Math.Pow(2, i + 1) * 1.2));
        await Wait.UntilAsync(() => _keeper!.Issuance.Failed == 5, "the last failure");
        _authority.Lie = path =>
        {
            var limited = path == "/order" ? ScriptedAuthority.Problem(HttpStatusCode.TooManyRequests, "rateLimited") : null;
            limited?.Headers.Add("Retry-After", "36000");
            return limited;
        };
        await AdvanceAsync(_keeper!.Issuance.Next!.Value - _clock.GetUtcNow() + Tick);
        await Wait.UntilAsync(() => _keeper!.Issuance.Failed == 6, "the limit");
        Assert.True(_keeper.Issuance.Next - _clock.GetUtcNow() >= TimeSpan.FromHours(10));
        Assert.Contains("rateLimited", _keeper.Issuance.LastError, StringComparison.Ordinal);

        _authority.Lie = _ => null;
        await AdvanceAsync(_keeper.Issuance.Next!.Value - _clock.GetUtcNow() + Tick);
        await IssuedAsync(1);
        Assert.Null(_keeper.Issuance.LastError);
    }

    [Fact]
    public async Task AccountIsForgottenByTheAuthority_IsMadeAgainWithTheSameKey()
    {
        _authority.Lie = path => path == "/order" ? ScriptedAuthority.Problem(HttpStatusCode.BadRequest, "accountDoesNotExist") : null;
        Start(Config);
        await Wait.UntilAsync(() => _keeper!.Issuance is { Failed: 1, State: IssuanceState.BackingOff }, "the failure");
        var key = _storage.ReadAccount(ScriptedAuthority.Url, null)!.Key;

        _authority.Lie = _ => null;
        await AdvanceAsync(TimeSpan.FromMinutes(3));
        await IssuedAsync(1);

        Assert.Equal(2, _authority.Requests.Count(request => request == "POST /account"));
        Assert.Equal(key, _storage.ReadAccount(ScriptedAuthority.Url, null)!.Key);
    }

    /// <summary>What an authority may try: proofs for other names, and plain HTTP.</summary>
    [Theory]
    [InlineData("""{"status":"pending","authorizations":["https://acme.test/authorization"]}""", "a name that was not asked for")]
    [InlineData("""{"status":"pending","authorizations":["http://acme.test/authorization"]}""", "no usable URL")]
    [InlineData("""{"status":"pending","authorizations":["https://acme.test/a","https://acme.test/b"]}""", "more proofs than there are names")]
    [InlineData("""{"status":"valid"}""", "no usable URL for the certificate")]
    [InlineData("""{"status":"invalid","error":{"type":"urn:ietf:params:acme:error:caa","detail":"no"}}""", "caa: no")]
    [InlineData("""{"status":"whatever"}""", "refused the order")]
    public async Task AuthorityLies_IsAFailureWithItsReason(string order, string why)
    {
        _authority.Lie = path => path switch
        {
            "/order" => Located(order),
            "/authorization" => ScriptedAuthority.Json(HttpStatusCode.OK, """{"status":"pending","identifier":{"type":"dns","value":"bank.example.org"},"challenges":[]}"""),
            _ => null,
        };
        Start(Config);

        await Wait.UntilAsync(() => _keeper!.Issuance.Failed == 1, "the failure");

        Assert.Contains(why, _keeper!.Issuance.LastError, StringComparison.Ordinal);
        Assert.DoesNotContain(_log.Events, e => e.Exception is not null);
    }

    [Fact]
    public async Task FolderCannotBeWritten_NothingIsOrdered()
    {
        _folder.Write("acme", "a file");
        Start(Config);

        await Wait.UntilAsync(() => _keeper!.Issuance.Failed == 1, "the failure");

        Assert.Contains("cannot be written", _keeper!.Issuance.LastError, StringComparison.Ordinal);
        Assert.Empty(_authority.Requests);
    }

    [Fact]
    public async Task TermsAreNotAgreedTo_NoAccountIsMade()
    {
        _authority.Lie = path => path == "/"
            ? ScriptedAuthority.Json(HttpStatusCode.OK, """{"newNonce":"https://acme.test/nonce","newAccount":"https://acme.test/account","newOrder":"https://acme.test/order","meta":{"termsOfService":"https://acme.test/terms"}}""")
            : null;
        Start(Config with { AgreeToTermsOfService = false });

        await Wait.UntilAsync(() => _keeper!.Issuance.Failed == 1, "the failure");

        Assert.Contains("AgreeToTermsOfService", _keeper!.Issuance.LastError, StringComparison.Ordinal);
        Assert.DoesNotContain("POST /account", _authority.Requests);
    }

    private static HttpResponseMessage Located(string order)
    {
        var response = ScriptedAuthority.Json(HttpStatusCode.Created, order);
        response.Headers.Location = new Uri(ScriptedAuthority.Url + "order/1");
        return response;
    }

    private void Start(AcmeConfig config)
    {
        _account = new AcmeAuthority(config, _storage, new AcmeHttp(_authority, _clock), _log);
        _keeper = new CertificateKeeper("www", config, _account, _storage, new HttpResponder(), new NameTurns(), new AcmeTimings(), _ => _written++, _clock, _log);
        _keeper.Start(Task.CompletedTask);
    }

    /// <summary>So many are there, and the next is planned.</summary>
    private Task IssuedAsync(int count)
        => Wait.UntilAsync(() => _keeper!.Issuance is { State: IssuanceState.Issued, Next: not null } issuance && issuance.Issued == count, $"certificate {count}");

    /// <summary>In steps, for each of which what waits for the clock has to be at its wait.</summary>
    private async Task AdvanceAsync(TimeSpan by)
    {
        for (var end = _clock.GetUtcNow() + by; _clock.GetUtcNow() < end;)
        {
            await Wait.UntilAsync(() => _clock.ActiveTimers > 0, "a wait");
            var step = _clock.NextDue is { } due && due < end - _clock.GetUtcNow() ? due : end - _clock.GetUtcNow();
            _clock.Advance(step);
            await Task.Yield();
        }
    }
}
