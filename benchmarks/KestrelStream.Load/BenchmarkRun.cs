using KestrelStream.Load.Backend;
using KestrelStream.Load.Measuring;
using KestrelStream.Load.Proxies;
using KestrelStream.Load.Reporting;
using KestrelStream.Load.Scenarios;

namespace KestrelStream.Load;

/// <summary>One whole run: sets everything up, measures scenario by scenario, takes everything down.</summary>
internal sealed class BenchmarkRun : IDisposable
{
    private readonly LoadOptions _options;
    private readonly CancellationToken _cancellation;
    private readonly List<IProxyRecipe> _recipes;
    private readonly IProxyRecipe? _largeBuffers;
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("kestrelstream-load-");
    private readonly HashSet<int> _takenPorts = [];
    private readonly TestCertificate _certificate;
    private readonly BackendProcess _backend;
    private int _sites;

    public BenchmarkRun(LoadOptions options, CancellationToken cancellation)
    {
        try
        {
            _options = options;
            _cancellation = cancellation;
            _recipes = [.. options.Proxies.Select(id => ProxyCatalog.Create(id, options.Server, options.Other))];
            bool needsLargeBuffers = options.Proxies.Contains(ProxyCatalog.Baseline) && CpuScenarios().Any(scenario => scenario.HasLargeBuffers);
            _largeBuffers = needsLargeBuffers ? ProxyCatalog.Create(ProxyCatalog.LargeBuffers, server: null, other: null) : null;
            _certificate = TestCertificate.Create(_directory.FullName);
            _backend = BackendProcess.Start(_recipes.Count + 1);
        }
        catch
        {
            _directory.Delete(recursive: true);
            throw;
        }
    }

    public Report Run()
    {
        IReadOnlyList<string> machine = Machine.Describe(_recipes);
        List<CpuResult> cpu = MeasureCpu();
        FairResult? fair = _options.Scenarios.Contains(ScenarioCatalog.Fair) ? MeasureFair() : null;
        IdleResult? idle = _options.Scenarios.Contains(ScenarioCatalog.Idle)
            ? MeasureIdle(ScenarioCatalog.Idle, DescriptorLimit.WantedIdle, _options.IdleRounds)
            : null;
        IdleResult? many = _options.Scenarios.Contains(ScenarioCatalog.Many)
            ? MeasureIdle(ScenarioCatalog.Many, DescriptorLimit.WantedMany, LoadOptions.ManyRounds)
            : null;
        return new Report(machine, _options, _recipes, _largeBuffers, cpu, fair, idle, many);
    }

    public void Dispose()
    {
        _backend.Dispose();
        _directory.Delete(recursive: true);
    }

    private IEnumerable<CpuScenario> CpuScenarios() => ScenarioCatalog.Cpu.Where(scenario => _options.Scenarios.Contains(scenario.Id));

    /// <summary>All proxies run all the time: an idle one costs nothing, and rounds can alternate without starting anything.</summary>
    private List<CpuResult> MeasureCpu()
    {
        var results = new List<CpuResult>();
        CpuScenario[] scenarios = [.. CpuScenarios()];
        if (scenarios.Length == 0)
        {
            return results;
        }

        var proxies = new List<RunningProxy>();
        try
        {
            foreach (IProxyRecipe recipe in _largeBuffers is null ? _recipes : [.. _recipes, _largeBuffers])
            {
                proxies.Add(Start(recipe, _sites++));
            }

            var runner = new CpuRunner(_options.Rounds, _cancellation);
            foreach (CpuScenario scenario in scenarios)
            {
                Progress($"{scenario.Id}: {_options.Rounds} rounds");
                results.Add(runner.Run(
                    scenario,
                    [.. proxies.Where(proxy => proxy.Recipe.Id != ProxyCatalog.LargeBuffers || scenario.HasLargeBuffers)]));
            }
        }
        finally
        {
            proxies.ForEach(proxy => proxy.Dispose());
        }

        return results;
    }

    private FairResult MeasureFair()
    {
        var proxies = new List<RunningProxy>();
        try
        {
            proxies.AddRange(_recipes.Select(recipe => Start(recipe, _recipes.IndexOf(recipe))));
            Progress($"{ScenarioCatalog.Fair}: {_options.Rounds} rounds");
            return new FairRunner(_options.Rounds, _cancellation).Run(proxies);
        }
        finally
        {
            proxies.ForEach(proxy => proxy.Dispose());
        }
    }

    private IdleResult MeasureIdle(string scenario, int wanted, int rounds)
    {
        int sessions = DescriptorLimit.Sessions(wanted);
        string scaled = sessions < wanted ? $" (of {wanted}: the limit on open files allows no more)" : "";
        Progress($"{scenario}: {sessions} sessions{scaled}, {rounds} starts of each proxy");
        return new IdleRunner(rounds, sessions, _cancellation).Run(_recipes, recipe => Start(recipe, _recipes.IndexOf(recipe), sessions));
    }

    /// <param name="recipe">What to start.</param>
    /// <param name="network">Number of the backend addresses it may use.</param>
    /// <param name="sessions">Most sessions at once.</param>
    private RunningProxy Start(IProxyRecipe recipe, int network, int sessions = 0)
    {
        string directory = _directory.CreateSubdirectory(recipe.Id).FullName;
        var ports = ProxyPorts.Take(_takenPorts);
        var site = new ProxySite(
            directory, _options.Configs, ports, LoopbackPlan.BackendNetwork(network), _backend.Ports, _certificate, sessions);
        return RunningProxy.Start(recipe, site, _cancellation);
    }

    private static void Progress(string text) => Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {text}");
}
