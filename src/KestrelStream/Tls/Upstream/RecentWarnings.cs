using System.Runtime.CompilerServices;

namespace KestrelStream.Tls.Upstream;

/// <summary>Says whether a destination was warned of lately. What is kept goes with the policies. Thread-safe.</summary>
internal sealed class RecentWarnings(TimeProvider time, TimeSpan every)
{
    /// <summary>Members of names come and go.</summary>
    private const int Most = 1000;

    private readonly ConditionalWeakTable<UpstreamTlsPolicy, Dictionary<string, long>> _warned = [];

    /// <summary>True once in a while for each destination; a policy that was changed is another one.</summary>
    public bool IsNew(UpstreamTlsPolicy policy, string destination)
    {
        var warned = _warned.GetValue(policy, static _ => []);
        var now = time.GetTimestamp();
        lock (warned)
        {
            if (warned.TryGetValue(destination, out var last) && time.GetElapsedTime(last, now) < every)
            {
                return false;
            }

            if (warned.Count >= Most)
            {
                warned.Clear();
            }

            warned[destination] = now;
            return true;
        }
    }
}
