using KestrelStream.Transport.EventLoop;
using Xunit;

namespace KestrelStream.Tests.Transport;

public sealed class HelperScheduleTests
{
    private const long Step = 200_000;

    private readonly HelperSchedule _schedule = new();
    private long _now;

    [Fact]
    public void StepsBesideNothingElse_AreTheLoops()
    {
        Crowd(milliseconds: 5000);

        Assert.False(_schedule.WantsHelper);
    }

    [Fact]
    public void TrafficBesideAFewSteps_LeavesThemToTheLoop()
    {
        for (var i = 0; i < 5000; i++)
        {
            Turn();
            _schedule.NoteTraffic();
            if (i % 3 == 0)
            {
                _schedule.StepTaken(Step);
            }
        }

        Assert.False(_schedule.WantsHelper);
    }

    [Fact]
    public void StepsThatTakeATenthBesideTraffic_GoToTheHelper_AsLongAsBothLast()
    {
        Crowd(HelperSchedule.WindowMilliseconds + 1);
        _schedule.NoteTraffic();
        Assert.True(_schedule.WantsHelper);

        Crowd(HelperSchedule.TrafficMilliseconds - 1);
        Assert.True(_schedule.WantsHelper);
        Crowd(1);
        Assert.False(_schedule.WantsHelper);

        _schedule.NoteTraffic();
        Assert.True(_schedule.WantsHelper);
        for (var i = 0; i < HelperSchedule.CrowdedMilliseconds + HelperSchedule.WindowMilliseconds; i++)
        {
            Turn();
            _schedule.NoteTraffic();
        }

        Assert.False(_schedule.WantsHelper);
    }

    [Fact]
    public void HelperThatGetsNothingDone_RestsLongerEachTime_AndShortAgainOnceItHasRun()
    {
        CrowdBesideTraffic(HelperSchedule.WindowMilliseconds + 1);
        var rests = new List<long>();
        for (var i = 0; i < 9; i++)
        {
            Assert.Equal(HelperSchedule.StallMilliseconds, CountWhile(wants: true));
            rests.Add(CountWhile(wants: false));
        }

        Assert.Equal([1000, 2000, 4000, 8000, 16000, 32000, 64000, 64000, 64000], rests);

        // It runs for a while, and then it does not again.
        for (var i = 0; i < HelperSchedule.ShortestRest; i++)
        {
            Turn();
            _schedule.HelperRuns();
            CrowdBesideTraffic(0);
        }

        Assert.Equal(HelperSchedule.StallMilliseconds, CountWhile(wants: true));
        Assert.Equal(HelperSchedule.ShortestRest, CountWhile(wants: false));
    }

    [Fact]
    public void ProcessThatStoodStill_IsNotHeldAgainstTheHelper()
    {
        CrowdBesideTraffic(HelperSchedule.WindowMilliseconds + 1);
        for (var i = 0; i < HelperSchedule.StallMilliseconds / HelperSchedule.LongestTurn - 1; i++)
        {
            _now += 40;
            _schedule.BeginTurn(_now, isHelperBusy: true);
            _schedule.NoteTraffic();
            _schedule.StepTaken(HelperSchedule.Crowd);
        }

        Assert.True(_schedule.WantsHelper);
    }

    [Fact]
    public void HelperThatGetsLittleDone_IsHelped_UntilHandshakesHaveAQuarterOfTheTime()
    {
        CrowdBesideTraffic(HelperSchedule.WindowMilliseconds + 1);
        long own = 0, helpers = 0;
        const int milliseconds = 20_000;
        for (var i = 0; i < milliseconds; i++)
        {
            Turn();
            _schedule.NoteTraffic();
            if (i % 20 == 0)
            {
                _schedule.HelperRuns();
                _schedule.StepTaken(Step);
                helpers += Step;
            }

            while (_schedule.OwesSteps)
            {
                _schedule.StepTaken(Step);
                own += Step;
            }

            Assert.True(_schedule.WantsHelper);
        }

        Assert.InRange((own + helpers) / 1e6 / milliseconds, 0.24, 0.26);
        Assert.InRange(helpers / 1e6 / milliseconds, 0.009, 0.011);
    }

    [Fact]
    public void HelperThatGetsMoreDone_IsLeftAlone()
    {
        CrowdBesideTraffic(HelperSchedule.WindowMilliseconds + 1);
        for (var i = 0; i < 20_000; i++)
        {
            Turn();
            _schedule.NoteTraffic();
            _schedule.HelperRuns();
            _schedule.StepTaken(2 * Step);
            Assert.False(_schedule.OwesSteps);
        }
    }

    /// <summary>A turn each millisecond, with something given to the helper.</summary>
    private void Turn() => _schedule.BeginTurn(++_now, isHelperBusy: true);

    private void Crowd(int milliseconds)
    {
        for (var i = 0; i < milliseconds; i++)
        {
            Turn();
            _schedule.HelperRuns();
            _schedule.StepTaken(Step);
        }
    }

    private void CrowdBesideTraffic(int milliseconds)
    {
        Crowd(milliseconds);
        _schedule.StepTaken(Step);
        _schedule.NoteTraffic();
    }

    /// <summary>Milliseconds until it is otherwise, all of them crowded, beside traffic.</summary>
    private long CountWhile(bool wants)
    {
        var since = _now;
        while (_schedule.WantsHelper == wants)
        {
            Turn();
            CrowdBesideTraffic(0);
            Assert.True(_now - since < 100_000);
        }

        return _now - since;
    }
}
