namespace KestrelStream.Tls;

/// <summary>
/// Finds the certificates for a name: exactly, then by wildcard. Immutable; thread-safe; two lookups and no allocation. Only what certificates name is in it,
/// never what clients ask for.
/// </summary>
internal sealed class CertificateNames
{
    // Null = clients are refused until ACME has got the certificate.
    private readonly Dictionary<string, CertificatePair?> _exact = new(StringComparer.OrdinalIgnoreCase);

    // By what follows the "*."; it stands for exactly one label (RFC 6125 §6.4.3), so that at most one wildcard can match.
    private readonly Dictionary<string, CertificatePair?>.AlternateLookup<ReadOnlySpan<char>> _wildcard =
        new Dictionary<string, CertificatePair?>(StringComparer.OrdinalIgnoreCase).GetAlternateLookup<ReadOnlySpan<char>>();

    private readonly Dictionary<(CertificateEntry, CertificateEntry?), CertificatePair> _pairs = [];

    /// <param name="lists">The certificates of each id of a route, in the route's order; in each the better ones first.</param>
    /// <param name="awaited">What ACME has not got yet: their names are never shown the default.</param>
    /// <param name="hasDefault">Whether the first one is shown to clients whose name no certificate has.</param>
    /// <param name="previous">Pairs that are the same are taken over, and with them what was made of them; null = nothing.</param>
    public CertificateNames(IReadOnlyList<IReadOnlyList<CertificateEntry>> lists, IReadOnlyList<CertificateState> awaited, bool hasDefault, CertificateNames? previous)
    {
        foreach (var entry in lists.SelectMany(list => list))
        {
            foreach (var name in entry.DnsNames)
            {
                var (map, key) = name.StartsWith("*.", StringComparison.Ordinal) ? (_wildcard.Dictionary, name[2..]) : (_exact, name);
                if (!map.TryGetValue(key, out var pair))
                {
                    map.Add(key, PairOf(entry, null, previous));
                }
                else if (pair!.Partner is null && pair.Leader.KeyAlgorithm != entry.KeyAlgorithm)
                {
                    map[key] = PairOf(pair.Leader, entry, previous);
                }
            }
        }

        foreach (var state in awaited)
        {
            foreach (var name in state.Config.Acme!.Names.Where(name => Find(name) is null))
            {
                _exact.TryAdd(name, state.StandIn is { } standIn ? PairOf(standIn, null, previous) : null);
            }
        }

        if (!hasDefault)
        {
            return;
        }

        if (lists.Count > 0)
        {
            Default = lists[0] is [var leader, ..] ? PairOf(leader, PartnerOf(leader), previous) : null;
        }
        else
        {
            Default = awaited.FirstOrDefault(state => state.StandIn is not null) is { } state ? PairOf(state.StandIn!, null, previous) : null;
        }
    }

    /// <summary>For clients whose name no certificate has, and for those without one; null = there is none.</summary>
    public CertificatePair? Default { get; }

    /// <param name="serverName">As our own parser found it: lower case, no trailing dot; null = none.</param>
    public CertificatePair? Find(string? serverName)
    {
        if (serverName is null)
        {
            return Default;
        }

        if (_exact.TryGetValue(serverName, out var pair))
        {
            return pair;
        }

        var dot = serverName.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && _wildcard.TryGetValue(serverName.AsSpan(dot + 1), out pair) ? pair : Default;
    }

    /// <summary>Whether a pair is one of these.</summary>
    public bool Has(CertificatePair pair) => _pairs.TryGetValue((pair.Leader, pair.Partner), out var known) && known == pair;

    /// <summary>The default one's partner must be for all of its names, or clients would be shown another name for another kind of key.</summary>
    private CertificateEntry? PartnerOf(CertificateEntry leader)
    {
        if (leader.DnsNames.Count == 0 || !_exact.TryGetValue(leader.DnsNames[0], out var pair))
        {
            pair = leader.DnsNames.Count > 0 && leader.DnsNames[0].StartsWith("*.", StringComparison.Ordinal) ? _wildcard.Dictionary[leader.DnsNames[0][2..]] : null;
        }

        return pair?.Entries.FirstOrDefault(entry => entry.KeyAlgorithm != leader.KeyAlgorithm && !leader.DnsNames.Except(entry.DnsNames).Any());
    }

    private CertificatePair PairOf(CertificateEntry leader, CertificateEntry? partner, CertificateNames? previous)
    {
        if (!_pairs.TryGetValue((leader, partner), out var pair))
        {
            pair = previous?._pairs.GetValueOrDefault((leader, partner)) ?? new CertificatePair(leader, partner);
            _pairs.Add((leader, partner), pair);
        }

        return pair;
    }
}
