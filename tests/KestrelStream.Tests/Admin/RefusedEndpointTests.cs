using System.Text.Json;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Preread;
using KestrelStream.Sessions;
using KestrelStream.Tests.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelStream.Tests.Admin;

public sealed class RefusedEndpointTests
{
    [Fact]
    public async Task Refused_Some_AreThereWithReasonTheYoungestFirst()
    {
        using var proxy = new TestProxy();
        var refused = new RefusedSessions(proxy.Time);
        await using var host = await AdminHost.StartAsync(proxy, configure: services => services.AddSingleton(refused));
        Assert.Equal("[]", await host.GetAsync("/api/refused"));

        Note(proxy, refused, SessionEndReason.NoRoute, "nobody.example.com");
        Note(proxy, refused, SessionEndReason.Completed);
        Note(proxy, refused, SessionEndReason.ClientGone);
        Note(proxy, refused, SessionEndReason.QueueFull);
        using var json = JsonDocument.Parse(await host.GetAsync("/api/refused"));
        Assert.Equal(["4 QueueFull", "1 NoRoute"], json.RootElement.EnumerateArray().Select(one => $"{one.GetProperty("id").GetString()} {one.GetProperty("reason").GetString()}"));
        Assert.Equal("nobody.example.com", json.RootElement[1].GetProperty("sni").GetString());
        Assert.Equal("203.0.113.9:50000", json.RootElement[1].GetProperty("client").GetString());
        Assert.Equal("public", json.RootElement[1].GetProperty("listener").GetString());
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(3, "160301")]
    [InlineData(64, "16030100030100")]
    public void Refused_FirstBytes_AreKeptAsFarAsTheConfigurationSays(int configured, string? shown)
    {
        using var proxy = new TestProxy(TestProxy.Create() with { Admin = new AdminConfig { Address = "127.0.0.1:1", RefusedBytes = configured } });
        var refused = new RefusedSessions(proxy.Time);
        var session = proxy.Start();
        session.Preread = new PrereadBuffer(new PrereadBudget(), 4096);
        Assert.True(session.Preread.TryAppend([0x16, 3, 1, 0, 3, 1, 0]));
        session.TryEnd(SessionEndReason.PrereadMalformed);
        refused.Note(session);
        session.ReleasePreread();
        var answer = ApiRefusedOf(refused);
        Assert.Equal(shown, answer.FirstBytes);
        Assert.Equal(7, answer.BytesReceived);
    }

    [Fact]
    public void Refused_More_ForgetTheOldest()
    {
        using var proxy = new TestProxy();
        var refused = new RefusedSessions(proxy.Time);
        for (var i = 0; i < RefusedSessions.Capacity + 10; i++)
        {
            Note(proxy, refused, SessionEndReason.Rejected);
        }

        var kept = refused.Read();
        Assert.Equal(RefusedSessions.Capacity + 10, refused.Count);
        Assert.Equal(Enumerable.Range(11, RefusedSessions.Capacity).Reverse(), kept.Select(session => (int)session.Id));
    }

    [Fact]
    public void Note_UsualSession_AllocatesNothing()
    {
        using var proxy = new TestProxy();
        var refused = new RefusedSessions(proxy.Time);
        var session = proxy.Start();
        session.TryEnd(SessionEndReason.Completed);
        refused.Note(session);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            refused.Note(session);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static KestrelStream.Admin.ApiRefused ApiRefusedOf(RefusedSessions refused) => KestrelStream.Admin.ApiRefused.Of(refused.Read().Single());

    private static void Note(TestProxy proxy, RefusedSessions refused, SessionEndReason reason, string? name = null)
    {
        var session = proxy.Start();
        session.ServerName = name;
        session.TryEnd(reason);
        refused.Note(session);
        proxy.End(session, reason);
    }
}
