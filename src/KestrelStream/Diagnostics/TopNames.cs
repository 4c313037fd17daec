using System.Diagnostics.CodeAnalysis;

namespace KestrelStream.Diagnostics;

/// <summary>
/// Counts sessions by server name for the names asked for most, in bounded memory whatever clients ask for: the space-saving sketch (Metwally et al. 2005)
/// decides who has a series, and everybody else is "other". One for the proxy; thread-safe.
/// </summary>
/// <remarks>
/// What a scraper sees only grows: a series counts from when its name got it, "other" what was counted under no name then. A name gets a series when it
/// is known to have come twice, and takes another's only with more visits than that one is known to have: names that come once each move nobody.
/// </remarks>
internal sealed class TopNames
{
    /// <summary>Names that are watched for each that has a series.</summary>
    private const int WatchedPerSeries = 4;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _index;
    private readonly Watched[] _watched;
    private readonly int _series;
    private int _used;
    private int _shown;
    private long _other;

    /// <param name="series">Most names with a series.</param>
    public TopNames(int series)
    {
        _series = series;
        _watched = new Watched[series * WatchedPerSeries];
        _index = new Dictionary<string, int>(_watched.Length, StringComparer.Ordinal);
    }

    public int Series => _series;

    public void Count(string name)
    {
        lock (_gate)
        {
            if (!_index.TryGetValue(name, out var at))
            {
                at = Admit(name);
            }

            ref var watched = ref _watched[at];
            watched.Count++;
            if (!watched.IsShown)
            {
                // This session is still one of the others: the series begins with the next.
                _other++;
                TryShow(ref watched);
            }
            else
            {
                watched.Shown++;
            }
        }
    }

    /// <summary>Names with their counts, and the count of all others.</summary>
    public (IReadOnlyList<(string Name, long Count)> Names, long Other) Read()
    {
        lock (_gate)
        {
            return ([.. _watched.Take(_used).Where(watched => watched.IsShown).Select(watched => (watched.Name, watched.Shown)).OrderBy(pair => pair.Name, StringComparer.Ordinal)], _other);
        }
    }

    /// <summary>A free place, or that of the name that came least; its count is the error of the new one's.</summary>
    private int Admit(string name)
    {
        var at = _used;
        if (_used < _watched.Length)
        {
            _used++;
            _watched[at] = new Watched(name, 0, 0);
        }
        else
        {
            at = Least(shown: false);
            _index.Remove(_watched[at].Name);
            _shown -= _watched[at].IsShown ? 1 : 0;
            _watched[at] = new Watched(name, _watched[at].Count, _watched[at].Count);
        }

        _index.Add(name, at);
        return at;
    }

    private void TryShow(ref Watched candidate)
    {
        var known = candidate.Count - candidate.Error;
        if (known < 2)
        {
            return;
        }

        if (_shown < _series)
        {
            _shown++;
            candidate.IsShown = true;
            return;
        }

        ref var least = ref _watched[Least(shown: true)];
        if (known > least.Count)
        {
            least.IsShown = false;
            least.Shown = 0;
            candidate.IsShown = true;
        }
    }

    private int Least(bool shown)
    {
        var least = -1;
        for (var i = 0; i < _used; i++)
        {
            if ((!shown || _watched[i].IsShown) && (least < 0 || _watched[i].Count < _watched[least].Count))
            {
                least = i;
            }
        }

        return least;
    }

    [SuppressMessage("Performance", "CA1815", Justification = "Never compared.")]
    private struct Watched(string name, long count, long error)
    {
        public readonly string Name = name;

        /// <summary>Visits, and maybe up to <see cref="Error"/> more than there were.</summary>
        public long Count = count;

        public readonly long Error = error;

        /// <summary>Visits since it has a series.</summary>
        public long Shown;

        public bool IsShown;
    }
}
