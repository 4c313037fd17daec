using System.Globalization;
using System.Text;
using KestrelStream.Load.Client;
using KestrelStream.Load.Proxies;
using KestrelStream.Load.Scenarios;

namespace KestrelStream.Load.Reporting;

/// <summary>The report as the tables that go into docs/benchmarks.md.</summary>
internal static class MarkdownReport
{
    private const string Nothing = "–";

    public static string Write(Report report)
    {
        var text = new StringBuilder();
        foreach (string line in report.Machine)
        {
            _ = text.AppendLine($"- {line}");
        }

        _ = text.AppendLine($"- Rounds: {report.Options.Rounds} (start and memory: {report.Options.IdleRounds}), medians; ratios to nginx of the same round");
        WriteCpu(text, report);
        WriteFair(text, report);
        WriteIdle(text, report);
        WriteMany(text, report);
        WriteVerdict(text, report);
        return text.ToString();
    }

    private static void WriteCpu(StringBuilder text, Report report)
    {
        if (report.Cpu.Count == 0)
        {
            return;
        }

        WriteHead(text, "CPU time of the proxy per", report, withLargeBuffers: report.LargeBuffers is not null);
        foreach (CpuResult result in report.Cpu)
        {
            IEnumerable<string> cells = Columns(report).Select(proxy => CpuCell(result, proxy));
            WriteRow(text, $"{result.Scenario.Title} ({result.Scenario.Unit})", cells);
            if (result.Scenario.HasLargeBuffers && report.LargeBuffers is { } largeBuffers)
            {
                WriteRow(text, "… relative to nginx with 64k buffers", Columns(report).Select(proxy => Ratio(result.Ratio(proxy, largeBuffers.Id))));
            }

            if (report.Recipes.Any(recipe => recipe.Id.StartsWith(ProxyCatalog.EventLoop + "-", StringComparison.Ordinal)))
            {
                WriteRow(text, "… relative to EventLoop", Columns(report).Select(proxy => Ratio(result.Ratio(proxy, ProxyCatalog.EventLoop))));
            }
        }
    }

    private static void WriteIdle(StringBuilder text, Report report)
    {
        if (report.Idle is not { } idle)
        {
            return;
        }

        WriteHead(text, "Start and memory", report, withLargeBuffers: false);
        IEnumerable<string> proxies = report.Recipes.Select(recipe => recipe.Id);
        WriteRow(text, $"memory per idle session, of {idle.Sessions} (KB)", proxies.Select(proxy => Number(idle.Median(proxy, sample => sample.BytesPerSession / 1024))));
        WriteRow(text, "resident after start (MB)", proxies.Select(proxy => Number(idle.Median(proxy, sample => sample.ResidentBytes / 1048576.0))));
        WriteRow(text, "start until it serves (ms)", proxies.Select(proxy => Number(idle.Median(proxy, sample => sample.StartMilliseconds))));
    }

    private static void WriteFair(StringBuilder text, Report report)
    {
        if (report.Fair is not { } fair)
        {
            return;
        }

        WriteHead(text, $"Beside {Downloads.Flows} bulk downloads", report, withLargeBuffers: false);
        WriteRow(text, "latency of a small message, p99 (µs)", report.Recipes.Select(recipe => FairCell(fair, recipe.Id, sample => sample.P99)));
        WriteRow(text, "latency of a small message, median (µs)", report.Recipes.Select(recipe => FairCell(fair, recipe.Id, sample => sample.Median)));
        WriteRow(text, "the downloads meanwhile, together (GB/s)", report.Recipes.Select(recipe => FairCell(fair, recipe.Id, sample => sample.BulkGigabytesPerSecond)));
    }

    private static void WriteMany(StringBuilder text, Report report)
    {
        if (report.Many is not { } many)
        {
            return;
        }

        WriteHead(text, "Many sessions at once", report, withLargeBuffers: false);
        IEnumerable<string> proxies = report.Recipes.Select(recipe => recipe.Id);
        WriteRow(text, $"errors, {many.Sessions} sessions", proxies.Select(proxy => $"{many.Errors(proxy)}"));
        WriteRow(text, $"memory per session, of {many.Sessions} (KB)", proxies.Select(proxy => Number(many.Median(proxy, sample => sample.BytesPerSession / 1024))));
    }

    private static void WriteVerdict(StringBuilder text, Report report)
    {
        string[] faults = [.. report.Faults()];
        _ = text.AppendLine();
        _ = text.AppendLine(faults.Length == 0 ? "Errors: none." : "Errors, which void the figures marked so:");
        foreach (string fault in faults)
        {
            _ = text.AppendLine($"- {fault}");
        }

        if (report.Cpu.Count == 0 && report.Fair is null)
        {
            return;
        }

        string[] failed = [.. report.FailedSelfChecks().Select(check => $"{check.Scenario} {Ratio(check.Ratio)}")];
        bool wasChecked = report.Cpu.Any(result => result.SelfCheckHolds() is not null) || report.Fair?.SelfCheckHolds() is not null;
        string bounds = report.Fair is null ? "1.00 ± 0.05" : $"1.00 ± 0.05 (latency: ± {Ratio(FairResult.SelfCheckTolerance)})";
        _ = text.AppendLine();
        _ = text.AppendLine((wasChecked, failed.Length) switch
        {
            (false, _) => "Self-check: nginx was not measured twice, so nothing says how exact the ratios are.",
            (true, 0) => $"Self-check: nginx against itself is {bounds} in every row.",
            _ => $"Self-check FAILED: nginx against itself is outside {bounds} in {string.Join(", ", failed)}. Repeat on a quieter machine; do not trust these rows.",
        });
    }

    private static void WriteHead(StringBuilder text, string title, Report report, bool withLargeBuffers)
    {
        List<string> titles = [title, .. report.Recipes.Select(recipe => recipe.Title)];
        if (withLargeBuffers)
        {
            titles.Add(report.LargeBuffers!.Title);
        }

        _ = text.AppendLine();
        _ = text.AppendLine($"| {string.Join(" | ", titles)} |");
        _ = text.AppendLine($"|---|{string.Concat(Enumerable.Repeat("--:|", titles.Count - 1))}");
    }

    private static void WriteRow(StringBuilder text, string title, IEnumerable<string> cells)
        => text.AppendLine($"| {title} | {string.Join(" | ", cells)} |");

    private static IEnumerable<string> Columns(Report report)
        => report.Recipes.Select(recipe => recipe.Id).Concat(report.LargeBuffers is { } large ? [large.Id] : []);

    private static string CpuCell(CpuResult result, string proxy)
    {
        if (!result.Samples.ContainsKey(proxy))
        {
            return Nothing;
        }

        if (result.Figure(proxy) is not { } figure)
        {
            return $"void: {result.Errors(proxy)} errors";
        }

        return $"{Number(figure)} ({Ratio(result.Ratio(proxy, ProxyCatalog.Baseline))})";
    }

    private static string FairCell(FairResult result, string proxy, Func<FairSample, double> value)
        => result.Figure(proxy, value) is { } figure
            ? $"{Number(figure)} ({Ratio(result.Ratio(proxy, value))})"
            : $"void: {result.Errors(proxy)} errors";

    private static string Ratio(double? ratio) => ratio?.ToString("0.00", CultureInfo.InvariantCulture) ?? Nothing;

    /// <summary>Three significant digits are what a run can tell.</summary>
    private static string Number(double? value) => value switch
    {
        null => "void",
        >= 100 or <= -100 => value.Value.ToString("0", CultureInfo.InvariantCulture),
        >= 10 or <= -10 => value.Value.ToString("0.0", CultureInfo.InvariantCulture),
        >= 1 or <= -1 => value.Value.ToString("0.00", CultureInfo.InvariantCulture),
        _ => value.Value.ToString("0.000", CultureInfo.InvariantCulture),
    };
}
