using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using KestrelStream.Transport;

namespace KestrelStream.Diagnostics;

/// <summary>
/// What any process tells of itself, by the names that dashboards know. In the Prometheus text only: whoever collects instruments gets the same from .NET's
/// own meter <c>System.Runtime</c>. Thread-safe.
/// </summary>
internal sealed class ProcessReadings(DescriptorBudget descriptors)
{
    private static readonly MetricFamily s_build = new("kestrelstream.build_info", MetricKind.Gauge, null, "1; the labels say what runs.");
    private static readonly MetricFamily s_cpu = new("process.cpu", MetricKind.Counter, "s", "Processor time of the process, user and system.");
    private static readonly MetricFamily s_resident = new("process.resident_memory_bytes", MetricKind.Gauge, null, "Memory of the process that is in RAM.");
    private static readonly MetricFamily s_start = new("process.start_time", MetricKind.Gauge, "s", "Start of the process, seconds since 1970.");
    private static readonly MetricFamily s_open = new("process.open_fds", MetricKind.Gauge, null, "Open file descriptors.");
    private static readonly MetricFamily s_limit = new("process.max_fds", MetricKind.Gauge, null, "Most file descriptors that may be open.");
    private static readonly MetricFamily s_pause = new("dotnet.gc_pause", MetricKind.Counter, "s", "Time that garbage collections have stopped the process.");
    private static readonly MetricFamily s_collections = new("dotnet.gc_collections", MetricKind.Counter, null, "Garbage collections, by generation.");
    private static readonly MetricFamily s_heap = new("dotnet.gc_heap_size_bytes", MetricKind.Gauge, null, "Managed memory after the last garbage collection.");
    private static readonly MetricFamily s_allocated = new("dotnet.gc_allocated_bytes", MetricKind.Counter, null, "Managed memory that was allocated.");
    private static readonly MetricFamily s_threads = new("dotnet.thread_pool_threads", MetricKind.Gauge, null, "Threads of the thread pool.");

    private static readonly KeyValuePair<string, object?>[] s_labels =
    [
        new("version", VersionOf(typeof(ProcessReadings).Assembly)),
        new("runtime", RuntimeInformation.FrameworkDescription),
        new("architecture", RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()),
    ];

    private readonly OpenDescriptors? _open = OperatingSystem.IsLinux() ? new() : null;

    public IEnumerable<(MetricFamily Family, IReadOnlyList<Measurement<double>> Values)> Read()
    {
        using var process = Process.GetCurrentProcess();
        yield return (s_build, [new(1, s_labels)]);
        yield return One(s_cpu, process.TotalProcessorTime.TotalSeconds);
        yield return One(s_resident, Environment.WorkingSet);
        yield return One(s_start, Math.Round((process.StartTime.ToUniversalTime() - DateTime.UnixEpoch).TotalSeconds, 3));
        if (OperatingSystem.IsLinux())
        {
            yield return One(s_open, _open!.Count());
            yield return One(s_limit, descriptors.Limit);
        }

        yield return One(s_pause, GC.GetTotalPauseDuration().TotalSeconds);
        yield return (s_collections, [.. Enumerable.Range(0, GC.MaxGeneration + 1).Select(generation =>
            new Measurement<double>(GC.CollectionCount(generation), new KeyValuePair<string, object?>("generation", generation.ToString(CultureInfo.InvariantCulture))))]);
        yield return One(s_heap, GC.GetGCMemoryInfo().HeapSizeBytes);
        yield return One(s_allocated, GC.GetTotalAllocatedBytes());
        yield return One(s_threads, ThreadPool.ThreadCount);
    }

    private static (MetricFamily, IReadOnlyList<Measurement<double>>) One(MetricFamily family, double value) => (family, [new(value)]);

    /// <summary>Without what source control has appended.</summary>
    private static string VersionOf(Assembly assembly)
        => assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";
}
