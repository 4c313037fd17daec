using KestrelStream.Configuration;
using KestrelStream.Diagnostics.AccessLogs;
using KestrelStream.Sessions;
using Xunit;

namespace KestrelStream.Tests.Diagnostics.AccessLogs;

public sealed class AccessLogFilterTests : IDisposable
{
    private readonly TestProxy _proxy = new();

    [Fact]
    public void Takes_NoRules_Everything() => Assert.True(Takes([], Session(SessionEndReason.Completed)));

    [Fact]
    public void Takes_EndReasons_ThoseOnly()
    {
        AccessLogRuleConfig[] rules = [new() { EndReasons = ["connectrefused", "NoRoute"] }];
        Assert.True(Takes(rules, Session(SessionEndReason.ConnectRefused)));
        Assert.False(Takes(rules, Session(SessionEndReason.Completed)));
    }

    [Fact]
    public void Takes_ExcludedReason_EveryOther()
    {
        AccessLogRuleConfig[] rules = [new() { EndReasons = ["!Completed"] }];
        Assert.False(Takes(rules, Session(SessionEndReason.Completed)));
        Assert.True(Takes(rules, Session(SessionEndReason.ClientReset)));
    }

    [Fact]
    public void Takes_StartRecord_IsNotAskedForItsEnd()
        => Assert.True(new AccessLogFilter([new() { EndReasons = ["NoRoute"], MinDuration = TimeSpan.FromHours(1) }]).Takes(Session(SessionEndReason.None), AccessLogEvent.Start, default));

    [Fact]
    public void Takes_RoutesAndListeners_AllConditionsOfARule()
    {
        AccessLogRuleConfig[] rules = [new() { Routes = ["app1"], Listeners = ["PUBLIC"] }];
        Assert.False(Takes(rules, Session(SessionEndReason.NoRoute)));
        Assert.True(Takes(rules, Session(SessionEndReason.Completed, "app1")));
        Assert.False(Takes(rules, Session(SessionEndReason.Completed, "app1", "other")));
        Assert.True(Takes([new() { Routes = ["!app1"] }], Session(SessionEndReason.NoRoute)));
        Assert.False(Takes([new() { Routes = ["!app1"] }], Session(SessionEndReason.Completed, "app1")));
    }

    [Fact]
    public void Takes_SecondRule_IsEnough()
    {
        AccessLogRuleConfig[] rules = [new() { EndReasons = ["!Completed"] }, new() { MinDuration = TimeSpan.FromSeconds(10) }];
        Assert.False(Takes(rules, Session(SessionEndReason.Completed), 9.9));
        Assert.True(Takes(rules, Session(SessionEndReason.Completed), 10));
        Assert.True(Takes(rules, Session(SessionEndReason.IdleTimeout), 1));
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.25)]
    [InlineData(0.9)]
    public void Takes_Sample_IsThatShareAndTheSameForASession(double share)
    {
        const int Sessions = 20_000;
        var filter = new AccessLogFilter([new() { Sample = share }]);
        var taken = 0;
        for (var i = 0; i < Sessions; i++)
        {
            var session = Session(SessionEndReason.Completed);
            var takes = filter.Takes(session, AccessLogEvent.End, default);
            Assert.Equal(takes, filter.Takes(session, AccessLogEvent.Start, default));
            taken += takes ? 1 : 0;
        }

        Assert.InRange(taken, Sessions * share * 0.8, Sessions * share * 1.2);
    }

    [Fact]
    public void Takes_SampleOne_Everything()
    {
        var filter = new AccessLogFilter([new() { Sample = 1 }]);
        Assert.All(Enumerable.Range(0, 1000), _ => Assert.True(filter.Takes(Session(SessionEndReason.Completed), AccessLogEvent.End, default)));
    }

    public void Dispose() => _proxy.Dispose();

    private static bool Takes(AccessLogRuleConfig[] rules, StreamSession session, double seconds = 0)
        => new AccessLogFilter(rules).Takes(session, AccessLogEvent.End, TimeSpan.FromSeconds(seconds));

    private StreamSession Session(SessionEndReason reason, string? route = null, string listener = "public")
    {
        var session = _proxy.Start(listener);
        session.Route = route is null ? null : _proxy.Route(route);
        session.TryEnd(reason);
        _proxy.Table.Remove(session);
        return session;
    }
}
