using KestrelStream.Diagnostics;
using KestrelStream.Sessions;
using Xunit;

namespace KestrelStream.Tests.Diagnostics.AccessLogs;

public sealed class EndCodesTests
{
    [Fact]
    public void Of_EveryReasonInEveryPhase_IsTwoLettersOfTheTable()
    {
        foreach (var reason in Enum.GetValues<SessionEndReason>().Where(reason => reason != SessionEndReason.None))
        {
            foreach (var (hasRoute, hasDestination) in new[] { (false, false), (true, false), (true, true) })
            {
                var code = EndCodes.Of(reason, hasRoute, hasDestination);
                Assert.True(code == "--" || (code.Length == 2 && "CSPRIDKcs".Contains(code[0]) && "RHQCDL".Contains(code[1])), $"{reason}: {code}");
                Assert.Equal(3, EndCodes.StatusOfReason(reason).Length);
            }
        }
    }

    [Theory]
    [InlineData(SessionEndReason.Completed, true, true, "--")]
    [InlineData(SessionEndReason.ClientGone, false, false, "CR")]
    [InlineData(SessionEndReason.ClientGone, true, false, "CQ")]
    [InlineData(SessionEndReason.DrainTimeout, true, true, "KD")]
    [InlineData(SessionEndReason.ClosedByOperator, true, false, "KC")]
    [InlineData(SessionEndReason.LimitExceeded, false, false, "RR")]
    [InlineData(SessionEndReason.ConnectTimeout, true, false, "sC")]
    [InlineData(SessionEndReason.LifetimeExceeded, true, true, "PD")]
    [InlineData(SessionEndReason.UpstreamTlsFailed, true, false, "SH")]
    [InlineData(SessionEndReason.UpstreamTlsFailed, true, true, "SD")]
    [InlineData(SessionEndReason.InternalError, true, false, "IC")]
    public void Of_Reason_SaysWhoAndWhen(SessionEndReason reason, bool hasRoute, bool hasDestination, string expected)
        => Assert.Equal(expected, EndCodes.Of(reason, hasRoute, hasDestination));
}
