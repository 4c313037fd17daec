using KestrelStream.Load.Proxies;
using KestrelStream.Load.Scenarios;

namespace KestrelStream.Load.Reporting;

/// <summary>Everything a run found out.</summary>
/// <param name="Machine">Lines that say what it ran on.</param>
/// <param name="Options">What was asked for.</param>
/// <param name="Recipes">The columns.</param>
/// <param name="LargeBuffers">The second baseline of the bulk figures, when it took part.</param>
/// <param name="Cpu">The CPU figures, one result a row.</param>
/// <param name="Fair">Latencies beside bulk transfers, when measured.</param>
/// <param name="Idle">Start and memory, when measured.</param>
/// <param name="Many">As many sessions as the limit on open files allows, when measured.</param>
internal sealed record Report(
    IReadOnlyList<string> Machine,
    LoadOptions Options,
    IReadOnlyList<IProxyRecipe> Recipes,
    IProxyRecipe? LargeBuffers,
    IReadOnlyList<CpuResult> Cpu,
    FairResult? Fair,
    IdleResult? Idle,
    IdleResult? Many)
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

        foreach (string proxy in Fair?.Samples.Keys.Where(proxy => Fair.Errors(proxy) > 0) ?? [])
        {
            yield return $"{ScenarioCatalog.Fair}, {proxy}: {Fair!.Errors(proxy)} errors, first: {Fair.FirstError(proxy)}";
        }

        foreach (string fault in Faults(ScenarioCatalog.Idle, Idle).Concat(Faults(ScenarioCatalog.Many, Many)))
        {
            yield return fault;
        }
    }

    /// <summary>Scenarios in which nginx against itself did not come out as 1, with what it came out as.</summary>
    public IEnumerable<(string Scenario, double? Ratio)> FailedSelfChecks()
    {
        foreach (CpuResult result in Cpu.Where(result => result.SelfCheckHolds() == false))
        {
            yield return (result.Scenario.Id, result.Ratio(ProxyCatalog.SelfCheck, ProxyCatalog.Baseline));
        }

        if (Fair?.SelfCheckHolds() == false)
        {
            yield return (ScenarioCatalog.Fair, Fair.Ratio(ProxyCatalog.SelfCheck, sample => sample.P99));
        }
    }

    private static IEnumerable<string> Faults(string scenario, IdleResult? result)
        => result?.Samples.Keys
            .Where(proxy => result.Errors(proxy) > 0)
            .Select(proxy => $"{scenario}, {proxy}: {result.Errors(proxy)} errors, first: {result.FirstError(proxy)}") ?? [];
}
