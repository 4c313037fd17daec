using System.Collections.Concurrent;
using KestrelStream.Configuration;
using KestrelStream.Discovery;

namespace KestrelStream.Dialing.Dynamic;

/// <summary>Addresses of names that clients have asked for, for a short while; a bounded number of them. One lookup a name at once. Thread-safe.</summary>
internal sealed class NameCache(IDestinationNameResolver resolver, DnsClient dns, TimeProvider time)
{
    /// <summary>A client may ask for any number of names below an allowed one.</summary>
    public const int MostNames = 10_000;

    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    /// <summary>What has no address is asked for again soon, but not with every session.</summary>
    private static readonly TimeSpan Failed = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, Entry> _names = new(StringComparer.Ordinal);

    /// <summary>How many names are known now.</summary>
    public int Count => _names.Count;

    /// <param name="name">Validated, lower case.</param>
    /// <param name="refresh">Longest age where the resolver does not say one.</param>
    public Task<NameAnswer> FindAsync(string name, TimeSpan refresh)
    {
        if (_names.TryGetValue(name, out var known) && !known.IsOld)
        {
            return known.Answer;
        }

        if (_names.Count >= MostNames)
        {
            RemoveOld();
            if (_names.Count >= MostNames)
            {
                // Not kept. The resolver bounds how many are looked up at once.
                return LookUpAsync(name);
            }
        }

        var entry = new Entry(() => LookUpAsync(name), refresh, time);
        var current = _names.AddOrUpdate(name, entry, (_, before) => before.IsOld ? entry : before);
        return current.Answer;
    }

    private async Task<NameAnswer> LookUpAsync(string name)
    {
        // A port has to be there; nobody looks at it. A name that the parser lets through and this does not is an IP address.
        if (!ProxyAddress.TryParseDestination($"{name}:1", out var address) || address!.Kind is not (ProxyAddressKind.Host or ProxyAddressKind.Localhost))
        {
            return NameAnswer.Empty("it is no host name");
        }

        return await new NameLookup(address, resolver, dns).RunAsync(CancellationToken.None);
    }

    private void RemoveOld()
    {
        foreach (var (name, entry) in _names)
        {
            if (entry.IsOld)
            {
                _names.TryRemove(new KeyValuePair<string, Entry>(name, entry));
            }
        }
    }

    private sealed class Entry
    {
        private readonly Lazy<Task<NameAnswer>> _lookup;
        private readonly TimeSpan _refresh;
        private readonly TimeProvider _time;

        /// <summary>When the answer came.</summary>
        private long _since;

        public Entry(Func<Task<NameAnswer>> lookUp, TimeSpan refresh, TimeProvider time)
        {
            (_refresh, _time) = (refresh, time);
            _lookup = new Lazy<Task<NameAnswer>>(() => RunAsync(lookUp));
        }

        /// <summary>Looked up for the first who asks.</summary>
        public Task<NameAnswer> Answer => _lookup.Value;

        public bool IsOld
        {
            get
            {
                if (!_lookup.IsValueCreated || !_lookup.Value.IsCompletedSuccessfully)
                {
                    return false;
                }

                var answer = _lookup.Value.Result;
                var age = answer.Result == LookupResult.Ok ? answer.Ttl ?? _refresh : Failed;
                return _time.GetElapsedTime(_since) > (age < Shortest ? Shortest : age > Longest ? Longest : age);
            }
        }

        private async Task<NameAnswer> RunAsync(Func<Task<NameAnswer>> lookUp)
        {
            var answer = await lookUp();
            _since = _time.GetTimestamp();
            return answer;
        }
    }
}
