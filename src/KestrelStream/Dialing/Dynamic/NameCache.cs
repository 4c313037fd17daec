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
        if (_names.TryGetValue(name, out var known) && !known.IsOld(time))
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

        var entry = new Entry(new Lazy<Task<NameAnswer>>(() => LookUpAsync(name)), refresh);
        var current = _names.AddOrUpdate(name, entry, (_, before) => before.IsOld(time) ? entry : before);
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
            if (entry.IsOld(time))
            {
                _names.TryRemove(new KeyValuePair<string, Entry>(name, entry));
            }
        }
    }

    private sealed class Entry(Lazy<Task<NameAnswer>> lookup, TimeSpan refresh)
    {
        /// <summary>Of the answer; 0 = it has not come.</summary>
        private long _since;

        public Task<NameAnswer> Answer => lookup.Value;

        public bool IsOld(TimeProvider time)
        {
            if (!lookup.IsValueCreated || !lookup.Value.IsCompleted)
            {
                return false;
            }

            var since = Interlocked.CompareExchange(ref _since, time.GetTimestamp(), 0);
            if (since == 0)
            {
                return false;
            }

            var answer = lookup.Value.Result;
            var age = answer.Result == LookupResult.Ok ? answer.Ttl ?? refresh : Failed;
            return time.GetElapsedTime(since) > (age < Shortest ? Shortest : age > Longest ? Longest : age);
        }
    }
}
