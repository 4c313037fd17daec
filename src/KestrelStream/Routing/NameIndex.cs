namespace KestrelStream.Routing;

/// <summary>Routes by a name or a part of a name. Filled once, then read by any number of threads.</summary>
internal sealed class NameIndex
{
    private readonly Dictionary<string, RouteGroup> _routes = new(StringComparer.Ordinal);

    /// <summary>
    /// Lengths that occur. A name of 253 bytes may have 127 labels: hashing each of its suffixes would let a client buy 10 µs
    /// of work with one hello. Only those of a length that some key has are looked up.
    /// </summary>
    private readonly bool[] _lengths = new bool[SniPattern.MaxNameLength + 1];

    public void Add(string key, RouteEntry entry)
    {
        _routes[key] = _routes.GetValueOrDefault(key).With(entry);
        _lengths[key.Length] = true;
    }

    /// <summary>The routes under a key; empty when there are none.</summary>
    public RouteGroup Find(ReadOnlySpan<char> key)
        => key.Length <= SniPattern.MaxNameLength && _lengths[key.Length]
            && _routes.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(key, out var routes)
            ? routes
            : default;
}
