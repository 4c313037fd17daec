using KestrelStream.Acme.Documents;
using KestrelStream.Acme.Issuing;
using KestrelStream.Acme.Protocol;
using Xunit;

namespace KestrelStream.Tests.Acme;

/// <summary>When something is done: renewals, attempts after failures, what an authority asks for.</summary>
public class ScheduleTests
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(90, null, 0, 60)]
    [InlineData(90, null, 1, 58.2)]
    [InlineData(6, null, 0, 4)]
    [InlineData(90, 10.0, 0, 80)]
    [InlineData(90, 10.0, 1, 78.2)]
    [InlineData(90, 80.0, 0, 30)]
    [InlineData(0, null, 1, 0)]
    public void Planned_LifeAndRenewBefore_DaysAfterStart(double lifeDays, double? renewBeforeDays, double random, double expectedDays)
    {
        var renewBefore = renewBeforeDays is { } days ? TimeSpan.FromDays(days) : (TimeSpan?)null;

        var at = RenewalSchedule.Planned(Start, Start.AddDays(lifeDays), renewBefore, random);

        Assert.Equal(expectedDays, (at - Start).TotalDays, 6);
    }

    [Fact]
    public void Within_Window_IsInItByChance()
    {
        var window = new RenewalWindow { Start = Start, End = Start.AddDays(2) };

        Assert.Equal(Start, RenewalSchedule.Within(window, 0));
        Assert.Equal(Start.AddDays(1), RenewalSchedule.Within(window, 0.5));
    }

    [Fact]
    public void Within_NoWindow_IsNull()
    {
        Assert.Null(RenewalSchedule.Within(null, 0.5));
        Assert.Null(RenewalSchedule.Within(new RenewalWindow { Start = Start, End = Start }, 0.5));
        Assert.Null(RenewalSchedule.Within(new RenewalWindow { Start = Start, End = Start.AddDays(-1) }, 0.5));
        Assert.Null(RenewalSchedule.Within(new RenewalWindow(), 0.5));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(-5, 1)]
    [InlineData(60, 10)]
    [InlineData(90 * 86400, 86400)]
    public void ShortestUse_Life_IsWithinASecondAndADay(long lifeSeconds, double expectedSeconds)
        => Assert.Equal(expectedSeconds, RenewalSchedule.ShortestUse(TimeSpan.FromSeconds(lifeSeconds)).TotalSeconds);

    [Theory]
    [InlineData(1, null, 2)]
    [InlineData(2, null, 4)]
    [InlineData(5, null, 32)]
    [InlineData(9, null, 360)]
    [InlineData(1000, null, 360)]
    [InlineData(1, 60, 60)]
    [InlineData(9, 60, 360)]
    [InlineData(9, 1440, 1440)]
    public void BackOff_Failures_MinutesGrowToTheLongestAndObeyTheAuthority(int failures, int? retryAfterMinutes, double expectedMinutes)
    {
        var retryAfter = retryAfterMinutes is { } minutes ? TimeSpan.FromMinutes(minutes) : (TimeSpan?)null;

        Assert.Equal(expectedMinutes, BackOff.After(failures, retryAfter, new AcmeTimings(), 0).TotalMinutes);
        Assert.Equal(expectedMinutes * 1.2, BackOff.After(failures, retryAfter, new AcmeTimings(), 1).TotalMinutes, 6);
    }

    [Fact]
    public void RetryAfter_AnyValue_IsWithinADay()
    {
        Assert.Null(RetryAfter.Of(null, Start));
        Assert.Equal(TimeSpan.FromSeconds(30), RetryAfter.Of(new(TimeSpan.FromSeconds(30)), Start));
        Assert.Equal(TimeSpan.FromDays(1), RetryAfter.Of(new(TimeSpan.FromDays(10_000)), Start));
        Assert.Equal(TimeSpan.FromMinutes(5), RetryAfter.Of(new(Start.AddMinutes(5)), Start));
        Assert.Equal(TimeSpan.Zero, RetryAfter.Of(new(Start.AddMinutes(-5)), Start));
    }
}
