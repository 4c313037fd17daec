using KestrelStream.Load.Client;
using KestrelStream.Load.Proxies;

namespace KestrelStream.Load.Scenarios;

/// <summary>A kind of work whose CPU cost is compared.</summary>
/// <param name="Id">The word of <c>--scenarios</c>.</param>
/// <param name="Title">Head of its row.</param>
/// <param name="Unit">What a figure is in.</param>
/// <param name="NanosecondsPerFigure">Nanoseconds per unit of work that make a figure of 1.</param>
/// <param name="Amount">
/// Units of work a round: fixed, so that every proxy does the same. About a quarter of a second of nginx's CPU: the speed of a machine drifts
/// within seconds (clock, neighbours, the other hyper-thread), and many short rounds put every proxy through the same drift.
/// </param>
/// <param name="Create">Makes the load against one proxy.</param>
internal sealed record CpuScenario(
    string Id, string Title, string Unit, double NanosecondsPerFigure, long Amount, Func<ProxyPorts, ILoad> Create)
{
    /// <summary>Whether nginx with large buffers takes part as a second baseline.</summary>
    public bool HasLargeBuffers { get; init; }
}
