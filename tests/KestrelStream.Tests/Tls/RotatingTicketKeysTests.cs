using KestrelStream.TestKit;
using KestrelStream.Tls.Tickets;
using Xunit;

namespace KestrelStream.Tests.Tls;

public sealed class RotatingTicketKeysTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Turn_ByTheClock_NewKeysComeFirst_AndOldOnesGoOnceTheirTicketsAreOver()
    {
        var keys = new RotatingTicketKeys(_time, TimeSpan.FromHours(1), TimeSpan.FromMinutes(90));
        var first = Assert.Single(keys.Current.Secrets);

        Turn(keys, TimeSpan.FromMinutes(59));
        Assert.Same(first, Assert.Single(keys.Current.Secrets));

        Turn(keys, TimeSpan.FromMinutes(1));
        Assert.Equal(2, keys.Current.Secrets.Count);
        Assert.Same(first, keys.Current.Secrets[1]);

        // It has stopped to encrypt at 60 minutes.
        Turn(keys, TimeSpan.FromMinutes(90));
        Assert.Contains(first, keys.Current.Secrets);
        Turn(keys, TimeSpan.FromMinutes(1));
        Assert.DoesNotContain(first, keys.Current.Secrets);
    }

    [Fact]
    public void Turn_WithTheMostThatValidationAllows_StaysBounded()
    {
        var timeout = TimeSpan.FromDays(7);
        var keys = new RotatingTicketKeys(_time, timeout / (TicketKeySet.Most - 2), timeout);
        for (var i = 0; i < 5_000; i++)
        {
            Turn(keys, TimeSpan.FromHours(1));
            Assert.InRange(keys.Current.Secrets.Count, 1, TicketKeySet.Most);
        }
    }

    [Fact]
    public void Turn_AfterALongSleep_ForgetsWhatIsOver()
    {
        var keys = new RotatingTicketKeys(_time, TimeSpan.FromHours(1), TimeSpan.FromHours(2));
        var first = keys.Current.Secrets[0];

        Turn(keys, TimeSpan.FromDays(3));
        Assert.NotSame(first, keys.Current.Secrets[0]);
        Turn(keys, TimeSpan.FromDays(3));
        Assert.DoesNotContain(first, keys.Current.Secrets);
    }

    private void Turn(RotatingTicketKeys keys, TimeSpan after)
    {
        _time.Advance(after);
        keys.Turn();
    }
}
