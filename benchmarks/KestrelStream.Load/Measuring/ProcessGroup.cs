using System.Diagnostics;
using KestrelStream.Load.Interop;

namespace KestrelStream.Load.Measuring;

/// <summary>All processes of one proxy: the one started and its children, such as nginx's workers.</summary>
internal sealed class ProcessGroup
{
    public static readonly ProcessGroup Empty = new([]);

    private const int QuietPollMilliseconds = 20;
    private const int QuietNanoseconds = 150_000;
    private static readonly TimeSpan s_longestUnrest = TimeSpan.FromSeconds(5);

    private readonly int[] _ids;

    private ProcessGroup(int[] ids) => _ids = ids;

    public static ProcessGroup Of(int root)
    {
        var ids = new List<int> { root };
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), out int id) && ParentOf(id) == root)
            {
                ids.Add(id);
            }
        }

        return new ProcessGroup([.. ids]);
    }

    public int Count => _ids.Length;

    /// <summary>CPU time used so far by all of them, user and system, ended threads included.</summary>
    /// <exception cref="BenchmarkException">One of them is gone.</exception>
    public long CpuNanoseconds()
    {
        long total = 0;
        foreach (int id in _ids)
        {
            long nanoseconds = Libc.ProcessCpuNanoseconds(id);
            total += nanoseconds >= 0 ? nanoseconds : throw new BenchmarkException($"process {id} of a proxy ended during the run");
        }

        return total;
    }

    /// <summary>Waits until the work in flight has ended: until two polls in a row find next to no CPU used.</summary>
    /// <remarks>Closing sockets, background compilation and the like happen after the client has its last byte; they are part of the bill.</remarks>
    public void WaitUntilQuiet()
    {
        long deadline = Stopwatch.GetTimestamp() + (long)(s_longestUnrest.TotalSeconds * Stopwatch.Frequency);
        long before = CpuNanoseconds();
        int quietPolls = 0;
        while (quietPolls < 2 && Stopwatch.GetTimestamp() < deadline)
        {
            Thread.Sleep(QuietPollMilliseconds);
            long now = CpuNanoseconds();
            quietPolls = now - before < QuietNanoseconds ? quietPolls + 1 : 0;
            before = now;
        }
    }

    /// <summary>Resident memory of its own, in bytes: heap, stacks, generated code; neither files mapped in nor anything of the kernel.</summary>
    public long OwnMemoryBytes() => _ids.Sum(id => StatusKilobytes(id, "RssAnon:") + StatusKilobytes(id, "RssShmem:")) * 1024;

    /// <summary>All resident memory in bytes; pages that several processes share count in each.</summary>
    public long ResidentBytes() => _ids.Sum(id => StatusKilobytes(id, "VmRSS:")) * 1024;

    private static int ParentOf(int id)
    {
        try
        {
            // The name in parentheses may hold anything; the fields after the last one are state and parent.
            string stat = File.ReadAllText($"/proc/{id}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], null);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static long StatusKilobytes(int id, string field)
    {
        try
        {
            string line = File.ReadLines($"/proc/{id}/status").First(line => line.StartsWith(field, StringComparison.Ordinal));
            return long.Parse(line[field.Length..^"kB".Length], null);
        }
        catch (IOException)
        {
            throw new BenchmarkException($"process {id} of a proxy ended during the run");
        }
    }
}
