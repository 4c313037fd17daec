using System.Reflection;
using KestrelStream.Diagnostics;
using KestrelStream.Sessions;
using KestrelStream.Transport;
using Xunit;

namespace KestrelStream.Tests.Diagnostics;

public sealed class EventIdsTests
{
    [Fact]
    public void Numbers_All_AreDifferent()
    {
        var numbers = typeof(EventIds).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (int)field.GetRawConstantValue()!).ToList();
        Assert.NotEmpty(numbers);
        Assert.Equal(numbers.Count, numbers.Distinct().Count());
    }

    [Fact]
    public void EndReasons_AllNames_AreFoundByTheirNumber()
    {
        foreach (var reason in Enum.GetValues<SessionEndReason>())
        {
            Assert.Equal(reason.ToString(), SessionEndReasons.NameOf(reason));
        }
    }

    [Fact]
    public void ConnectStatuses_AllNames_AreSnakeCase()
        => Assert.Equal(
            ["connected", "refused", "unreachable", "timed_out", "address_not_available", "not_resolved", "tls_failed", "tls_timed_out", "tls_certificate", "out_of_resources", "aborted", "failed", "not_allowed"],
            Enum.GetValues<ConnectStatus>().Select(ConnectStatuses.NameOf));
}
