using KestrelStream.Load.Proxies;
using KestrelStream.Load.Scenarios;

namespace KestrelStream.Load.Reporting;

/// <summary>Everything a run found out.</summary>
/// <param name="Machine">Lines that say what it ran on.</param>
/// <param name="Options">What was asked for.</param>
/// <param name="Recipes">The columns.</param>
/// <param name="LargeBuffers">The second baseline of the bulk figures, when it took part.</param>
/// <param name="Cpu">The CPU figures, one result a row.</param>
/// <param name="Idle">Start and memory, when measured.</param>
internal sealed record Report(
    IReadOnlyList<string> Machine,
    LoadOptions Options,
    IReadOnlyList<IProxyRecipe> Recipes,
    IProxyRecipe? LargeBuffers,
    IReadOnlyList<CpuResult> Cpu,
    IdleResult? Idle)
{
    /// <summary>Each proxy of each scenario that had errors, with the first of them.</summary>
    public IEnumerable<string> Faults()
    {
        foreach (CpuResult result in Cpu)
        {
            foreach (string proxy in result.Samples.Keys.Where(proxy => result.Errors(proxy) > 0))
            {
                yield return $"{result.Scenario.Id}, {proxy}: {result.Errors(proxy)} errors, first: {result.FirstError(proxy)}";
            }
        }

        foreach (string proxy in Idle?.Samples.Keys.Where(proxy => Idle.Errors(proxy) > 0) ?? [])
        {
            yield return $"{ScenarioCatalog.Idle}, {proxy}: {Idle!.Errors(proxy)} errors, first: {Idle.FirstError(proxy)}";
        }
    }

    /// <summary>Scenarios in which nginx against itself did not come out as 1.</summary>
    public IEnumerable<CpuResult> FailedSelfChecks() => Cpu.Where(result => result.SelfCheckHolds() == false);
}
