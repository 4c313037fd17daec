using System.Security.Cryptography;
using KestrelStream.Configuration;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using KestrelStream.Tls.Tickets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;
using static KestrelStream.FunctionalTests.Tls.TlsScene;

namespace KestrelStream.FunctionalTests.Tls;

/// <summary>Keys of session tickets: how they change, who shares them, and what they never open.</summary>
public sealed class SessionTicketTests : IDisposable
{
    private readonly TlsScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Rotation_OldKeysOpenTicketsAndRenewThem_UntilTheirTimeIsOver(string version)
    {
        var time = new FakeTimeProvider();
        var config = _scene.Config("a.example.com", tls => tls with
        {
            SessionTimeout = TimeSpan.FromHours(3),
            SessionTickets = new() { RotationInterval = TimeSpan.FromHours(1) },
        });
        await using var proxy = await ProxyEnvironment.StartAsync(
            config, services => services.AddSingleton(provider => new TicketKeyStore(time, provider.GetRequiredService<ILogger<TicketKeyStore>>())));

        Assert.False(IsResumed(await ConnectAsync(proxy, "a.example.com", version, "-sess_out", _scene.Folder["first"])));
        time.Advance(TimeSpan.FromHours(2));
        Assert.True(IsResumed(await ConnectAsync(proxy, "a.example.com", version, "-sess_in", _scene.Folder["first"], "-sess_out", _scene.Folder["second"])));
        if (version == "-tls1_2")
        {
            // s_client does not write down a ticket that replaces one.
            await ConnectAsync(proxy, "a.example.com", version, "-sess_out", _scene.Folder["second"]);
        }

        time.Advance(TimeSpan.FromHours(2) + TimeSpan.FromMinutes(1));

        // Its key has encrypted for one hour and opened for three; the ticket that was given in its place is of a later one.
        Assert.False(IsResumed(await ConnectAsync(proxy, "a.example.com", version, "-sess_in", _scene.Folder["first"])));
        Assert.True(IsResumed(await ConnectAsync(proxy, "a.example.com", version, "-sess_in", _scene.Folder["second"])));
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task KeyFiles_TwoProcessesResumeEachOthersSessions(string version)
    {
        var keys = WriteKeys("keys", 80);
        await using var one = await StartServerAsync("one.json", keys);
        await using var other = await StartServerAsync("other.json", keys);
        await using var stranger = await StartServerAsync("stranger.json", WriteKeys("others", 80));

        Assert.False(IsResumed(await ConnectAsync(one.Listener("public"), "a.example.com", version, "-sess_out", _scene.Folder["session"])));
        Assert.True(IsResumed(await ConnectAsync(other.Listener("public"), "a.example.com", version, "-sess_in", _scene.Folder["session"], "-sess_out", _scene.Folder["session"])));
        Assert.True(IsResumed(await ConnectAsync(one.Listener("public"), "a.example.com", version, "-sess_in", _scene.Folder["session"])));
        Assert.False(IsResumed(await ConnectAsync(stranger.Listener("public"), "a.example.com", version, "-sess_in", _scene.Folder["session"])));
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task KeyFiles_SharedByPolicies_DoNotMakeOneOfThem(string version)
    {
        var config = _scene.Config("a.example.com", tls => tls with { SessionTickets = new() { KeyFiles = [WriteKeys("keys", 48)] } });
        var route = config.Routes["all"];
        await using var proxy = await ProxyEnvironment.StartAsync(config);
        await ConnectAsync(proxy, "a.example.com", version, "-sess_out", _scene.Folder["session"]);

        // The same name and certificate, and another policy each time: other versions do not count here, they are the client's choice.
        RouteTlsConfig[] others =
        [
            route.Tls! with { Ciphers = "ECDHE+AESGCM" },
            route.Tls! with { CipherSuites = "TLS_AES_256_GCM_SHA384" },
            route.Tls! with { PreferServerCiphers = false },
            route.Tls! with { Groups = "X25519", Alpn = ["h2"] },
            route.Tls! with { ClientCertificates = new() { Mode = ClientCertificateMode.Allow, TrustedCertificates = _scene.Folder.Write("ca.pem", new TestClientAuthority("A").RootPem) } },
        ];
        foreach (var other in others)
        {
            Assert.True((await proxy.ReloadAsync(config with { Routes = new Dictionary<string, RouteConfig> { ["all"] = route with { Tls = other } } })).IsApplied);
            Assert.False(IsResumed(await ConnectAsync(proxy, "a.example.com", version, "-sess_in", _scene.Folder["session"])));
        }

        Assert.True((await proxy.ReloadAsync(config with { Routes = new Dictionary<string, RouteConfig> { ["other"] = route } })).IsApplied);
        Assert.False(IsResumed(await ConnectAsync(proxy, "a.example.com", version, "-sess_in", _scene.Folder["session"])));

        // As a replica would that was started with it.
        Assert.True((await proxy.ReloadAsync(config)).IsApplied);
        Assert.True(IsResumed(await ConnectAsync(proxy, "a.example.com", version, "-sess_in", _scene.Folder["session"])));
    }

    [Fact]
    public async Task KeyFiles_ThatChange_AreTakenWithinASecond_AndOnesThatAreNoGoodAreNot()
    {
        var (first, second) = (WriteKeys("first", 80), WriteKeys("second", 80));
        var config = _scene.Config("a.example.com", tls => tls with { SessionTickets = new() { KeyFiles = [first, second] } });
        await using var proxy = await ProxyEnvironment.StartAsync(config);
        await ConnectAsync(proxy, "a.example.com", "-sess_out", _scene.Folder["session"]);

        // The key moves to the second place: it still opens tickets.
        File.Copy(first, second, overwrite: true);
        Replace(first, RandomNumberGenerator.GetBytes(80));
        await LoggedAsync(proxy, "Ticket keys reloaded", 1);
        Assert.True(IsResumed(await ConnectAsync(proxy, "a.example.com", "-sess_in", _scene.Folder["session"])));

        Replace(second, new byte[79]);
        await LoggedAsync(proxy, "New ticket keys are refused and the old ones stay", 1);
        Assert.True(IsResumed(await ConnectAsync(proxy, "a.example.com", "-sess_in", _scene.Folder["session"])));

        Replace(second, RandomNumberGenerator.GetBytes(48));
        await LoggedAsync(proxy, "Ticket keys reloaded", 2);
        Assert.False(IsResumed(await ConnectAsync(proxy, "a.example.com", "-sess_in", _scene.Folder["session"])));
    }

    [Theory]
    [InlineData(null, "it does not exist")]
    [InlineData(0, "it has 0 bytes")]
    [InlineData(64, "it has 64 bytes")]
    [InlineData(81, "it has more than 80 bytes")]
    public async Task KeyFiles_ThatAreNoGood_AreConfigErrors_AtStartAndReload(int? bytes, string reason)
    {
        var good = _scene.Config("a.example.com", tls => tls with { SessionTickets = new() { KeyFiles = [WriteKeys("good", 80)] } });
        var file = bytes is { } count ? WriteKeys("bad", count) : _scene.Folder["missing"];
        var bad = _scene.Config("a.example.com", tls => tls with { SessionTickets = new() { KeyFiles = [_scene.Folder["good"], file] } });

        var atStart = await Assert.ThrowsAsync<KestrelStream.Management.StreamProxyConfigException>(() => ProxyEnvironment.StartAsync(bad));
        await using var proxy = await ProxyEnvironment.StartAsync(good);
        var atReload = await proxy.ReloadAsync(bad);

        foreach (var error in new[] { Assert.Single(atStart.Errors), Assert.Single(atReload.Errors) })
        {
            Assert.Equal("StreamProxy:Routes:all:Tls:SessionTickets:KeyFiles:1", error.Path);
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task KeyFiles_ThatEverybodyMayRead_AreWarnedOf()
    {
        var file = WriteKeys("keys", 80);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com", tls => tls with { SessionTickets = new() { KeyFiles = [file] } }));

        var warning = Assert.Single(proxy.Log.Events, e => e.Message.Contains("can be read by every user", StringComparison.Ordinal));
        Assert.Contains(file, warning.Message, StringComparison.Ordinal);
    }

    private static Task LoggedAsync(ProxyEnvironment proxy, string text, int times)
        => Wait.UntilAsync(() => proxy.Log.Events.Count(e => e.Message.Contains(text, StringComparison.Ordinal)) == times, text);

    private static void Replace(string path, byte[] content)
    {
        File.WriteAllBytes(path + ".new", content);
        File.Move(path + ".new", path, overwrite: true);
    }

    private string WriteKeys(string name, int bytes)
    {
        var path = _scene.Folder.Write(name, RandomNumberGenerator.GetBytes(bytes));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    private Task<ServerProcess> StartServerAsync(string name, string keys)
    {
        if (!File.Exists(_scene.Folder["fullchain.pem"]))
        {
            TestCertificates.Shared.Issue("a.example.com").WritePem(_scene.Folder);
        }

        return ServerProcess.StartAsync(new ServerOptions
        {
            ConfigPath = _scene.Folder.Write(name, $$"""
                {
                  "StreamProxy": {
                    "Engine": "EventLoop", "Tls": { "Engine": "OpenSsl" },
                    "Listeners": { "public": { "Address": "127.0.0.1:0" } },
                    "Certificates": { "a": { "Path": "fullchain.pem", "KeyPath": "privkey.pem" } },
                    "Routes": {
                      "all": {
                        "Tls": { "Mode": "Terminate", "Certificates": ["a"], "SessionTickets": { "KeyFiles": ["{{keys}}"] } },
                        "ClusterId": "c"
                      }
                    },
                    "Clusters": { "c": { "Destinations": { "a": { "Address": "{{_scene.Upstream.EndPoint}}" } } } }
                  }
                }
                """),
        });
    }
}
