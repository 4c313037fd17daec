using System.Text.RegularExpressions;
using KestrelStream.Configuration;
using KestrelStream.TestKit;
using Xunit;
using static KestrelStream.FunctionalTests.Tls.TlsScene;

namespace KestrelStream.FunctionalTests.Tls;

/// <summary>Whether, how and for how long clients resume sessions, beyond the keys of their tickets.</summary>
public sealed class SessionResumptionTests : IDisposable
{
    private readonly TlsScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Off_NothingIsResumed(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com", tls => tls with { SessionResumption = false }, engine: tlsEngine, on: engine));
        foreach (var version in new[] { "-tls1_2", "-tls1_3" })
        {
            Assert.False(IsResumed(await ConnectAsync(proxy, "a.example.com", version, "-sess_out", _scene.Folder["session"])));
            if (File.Exists(_scene.Folder["session"]))
            {
                Assert.False(IsResumed(await ConnectAsync(proxy, "a.example.com", version, "-sess_in", _scene.Folder["session"])));
            }
        }
    }

    [Fact]
    public async Task Reconnect_IsResumedEveryTime()
    {
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com"));

        var output = await ConnectAsync(proxy, "a.example.com", "-tls1_2", "-reconnect");

        Assert.Equal(5, Regex.Count(output, "^Reused, TLSv1.2", RegexOptions.Multiline));
    }

    [Theory]
    [InlineData("-tls1_2", "-no_ticket")]
    [InlineData("-tls1_2", null)]
    [InlineData("-tls1_3", null)]
    public async Task Cache_WithoutTickets_Resumes_OnWhateverLoop_AndUnderTheSameNameAlone(string version, string? option)
    {
        string[] options = option is null ? [version] : [version, option];
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("*.example.com", tls => tls with { SessionCacheSize = 100, SessionTickets = new() { Enabled = false } }) with
        {
            EventLoops = 4,
        });

        Assert.False(IsResumed(await ConnectAsync(proxy, "a.example.com", [.. options, "-sess_out", _scene.Folder["session"]])));
        for (var i = 0; i < 6; i++)
        {
            Assert.True(IsResumed(await ConnectAsync(proxy, "a.example.com", [.. options, "-sess_in", _scene.Folder["session"]])));
        }

        Assert.False(IsResumed(await ConnectAsync(proxy, "b.example.com", [.. options, "-sess_in", _scene.Folder["session"]])));
    }

    [Fact]
    public async Task Cache_ThatIsFull_ForgetsTheOldest()
    {
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com", tls => tls with { SessionCacheSize = 2, SessionTickets = new() { Enabled = false } }));
        foreach (var session in new[] { "first", "second", "third" })
        {
            Assert.False(IsResumed(await ConnectAsync(proxy, "a.example.com", "-tls1_2", "-sess_out", _scene.Folder[session])));
        }

        Assert.True(IsResumed(await ConnectAsync(proxy, "a.example.com", "-tls1_2", "-sess_in", _scene.Folder["second"])));
        Assert.False(IsResumed(await ConnectAsync(proxy, "a.example.com", "-tls1_2", "-sess_in", _scene.Folder["first"])));
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task TicketsOff_WithoutACache_NothingIsResumed(string version)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com", tls => tls with { SessionTickets = new() { Enabled = false } }));

        var output = await ConnectAsync(proxy, "a.example.com", version, "-sess_out", _scene.Folder["session"]);
        Assert.DoesNotContain("session ticket", output, StringComparison.Ordinal);
        if (File.Exists(_scene.Folder["session"]))
        {
            Assert.False(IsResumed(await ConnectAsync(proxy, "a.example.com", version, "-sess_in", _scene.Folder["session"])));
        }
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Timeout_IsWhatClientsAreToldAndHeldTo(string version)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com", tls => tls with { SessionTimeout = TimeSpan.FromSeconds(3) }));

        var output = await ConnectAsync(proxy, "a.example.com", version, "-sess_out", _scene.Folder["session"]);
        Assert.True(IsResumed(await ConnectAsync(proxy, "a.example.com", version, "-sess_in", _scene.Folder["session"])));

        // A client of TLS 1.3 does not even show a ticket that has expired.
        Assert.Contains("lifetime hint: 3 (seconds)", output, StringComparison.Ordinal);
        await Task.Delay(TimeSpan.FromSeconds(4.5));
        Assert.False(IsResumed(await ConnectAsync(proxy, "a.example.com", version, "-sess_in", _scene.Folder["session"])));
    }
}
