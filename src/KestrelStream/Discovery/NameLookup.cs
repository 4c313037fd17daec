using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using KestrelStream.Configuration;

namespace KestrelStream.Discovery;

/// <summary>
/// Looks one name up: by the operating system, or by our own client where it is an SRV name or the configuration has name servers. Owned by
/// its <see cref="NameWatch"/>; one lookup at a time.
/// </summary>
internal sealed class NameLookup(ProxyAddress name, IDestinationNameResolver system, DnsClient dns)
{
    /// <summary>A longer answer is cut: the first ones in order stay.</summary>
    public const int MaxAddresses = 256;

    /// <summary>Questions about targets of SRV records that are open at once.</summary>
    private const int MaxQuestions = 8;

    private readonly string _name = name.Host.TrimEnd('.');

    /// <summary>
    /// Last answers to the questions of the last lookup. An answer is made of several: one that fails is filled in from here, so that a lost
    /// packet does not take away the half of a pool.
    /// </summary>
    private ConcurrentDictionary<DnsQuestion, DnsAddresses> _last = new();

    /// <summary>Never throws.</summary>
    public async ValueTask<NameAnswer> RunAsync(CancellationToken cancellationToken)
    {
        if (name.Kind != ProxyAddressKind.Srv && !dns.HasOwnServers)
        {
            return await AskSystemAsync(cancellationToken);
        }

        var answers = new ConcurrentDictionary<DnsQuestion, DnsAddresses>();
        var answer = name.Kind == ProxyAddressKind.Srv ? await LookUpServiceAsync(answers, cancellationToken) : await LookUpHostAsync(answers, cancellationToken);
        if (answer.Result == LookupResult.Ok)
        {
            _last = answers;
        }

        return answer;
    }

    private async ValueTask<NameAnswer> AskSystemAsync(CancellationToken cancellationToken)
    {
        try
        {
            // As configured: a trailing dot keeps the resolver from trying its search domains.
            var addresses = Order((await system.ResolveAsync(name.Host, cancellationToken))
                .Where(DnsAddresses.CanBeDialled)
                .Select(address => new DiscoveredAddress(address)));
            return addresses.IsEmpty ? NameAnswer.Empty("it has no address") : NameAnswer.Of(addresses, null);
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData)
        {
            return NameAnswer.Empty(exception.Message);
        }
        catch (Exception exception)
        {
            return NameAnswer.Failed(exception.Message);
        }
    }

    private async ValueTask<NameAnswer> LookUpHostAsync(ConcurrentDictionary<DnsQuestion, DnsAddresses> answers, CancellationToken cancellationToken)
    {
        var found = await AskForAddressesAsync(_name, answers, cancellationToken);
        return found.Addresses.Count > 0
            ? NameAnswer.Of(Order(found.Addresses.Select(address => new DiscoveredAddress(address))), Seconds(found.Ttl))
            : found.Failure is { } failure ? NameAnswer.Failed(failure) : NameAnswer.Empty("it has no address");
    }

    private async ValueTask<NameAnswer> LookUpServiceAsync(ConcurrentDictionary<DnsQuestion, DnsAddresses> answers, CancellationToken cancellationToken)
    {
        var question = new DnsQuestion(_name, DnsType.Srv);
        var reply = await dns.AskAsync(question, cancellationToken);
        if (reply.Message is not { } message)
        {
            return NameAnswer.Failed(reply.Failure!);
        }

        var (records, ttl) = DnsAddresses.Follow(message.Answers, question);
        if (records is [{ Target: "" }])
        {
            // RFC 2782: the service is decidedly not available at this domain. That is an answer.
            return NameAnswer.Of([], Seconds(ttl));
        }

        records.RemoveAll(record => record.Target is null or "" || record.Port == 0);
        if (records.Count == 0)
        {
            return NameAnswer.Empty("it has no SRV record");
        }

        var targets = await FindTargetsAsync(records, message.Additional, answers, cancellationToken);
        var addresses = Order(
            from record in records
            from address in targets[record.Target!].Addresses
            select new DiscoveredAddress(address, record.Port, record.Priority, record.Weight, record.Target));
        if (addresses.IsEmpty)
        {
            return targets.Values.FirstOrDefault(target => target.Failure is not null).Failure is { } failure
                ? NameAnswer.Failed(failure)
                : NameAnswer.Empty("none of its targets has an address");
        }

        return NameAnswer.Of(addresses, Seconds(targets.Values.Aggregate(ttl, (shortest, target) => DnsAddresses.Shortest(shortest, target.Ttl))));
    }

    /// <summary>The addresses of each target: those that came along, otherwise those asked for.</summary>
    private async ValueTask<ConcurrentDictionary<string, DnsAddresses>> FindTargetsAsync(
        List<DnsRecord> records, IReadOnlyList<DnsRecord> additional, ConcurrentDictionary<DnsQuestion, DnsAddresses> answers, CancellationToken cancellationToken)
    {
        var targets = new ConcurrentDictionary<string, DnsAddresses>(StringComparer.Ordinal);
        foreach (var target in records.Select(record => record.Target!).Distinct(StringComparer.Ordinal).Take(MaxAddresses))
        {
            DnsRecord[] along = [.. additional.Where(record => record.Address is { } address && record.Name == target && DnsAddresses.CanBeDialled(address))];
            if (along.Length > 0)
            {
                targets[target] = new DnsAddresses([.. along.Select(record => record.Address!)], along.Min(record => record.Ttl), null);
            }
            else
            {
                targets[target] = default;
            }
        }

        records.RemoveAll(record => !targets.ContainsKey(record.Target!));
        await Parallel.ForEachAsync(
            targets.Where(target => target.Value.Addresses is null).Select(target => target.Key).ToArray(),
            new ParallelOptions { MaxDegreeOfParallelism = MaxQuestions },
            async (target, _) => targets[target] = await AskForAddressesAsync(target, answers, cancellationToken));
        return targets;
    }

    /// <summary>Both families of one name. A failure is told only with what else there is.</summary>
    private async ValueTask<DnsAddresses> AskForAddressesAsync(
        string host, ConcurrentDictionary<DnsQuestion, DnsAddresses> answers, CancellationToken cancellationToken)
    {
        var both = await Task.WhenAll(AskAsync(DnsType.A), AskAsync(DnsType.Aaaa));

        // Nothing is new when nobody has answered: what is in force stays, and it is said that it is old.
        return both.All(family => family.Failure is not null) && name.Kind != ProxyAddressKind.Srv
            ? new DnsAddresses([], null, both[0].Failure)
            : new DnsAddresses([.. both[0].Addresses, .. both[1].Addresses], DnsAddresses.Shortest(both[0].Ttl, both[1].Ttl), both[0].Failure ?? both[1].Failure);

        async Task<DnsAddresses> AskAsync(DnsType type)
        {
            var question = new DnsQuestion(host, type);
            var reply = await dns.AskAsync(question, cancellationToken);
            if (reply.Message is not { } message)
            {
                var last = _last.TryGetValue(question, out var known) ? known : new DnsAddresses([], null, null);
                return answers[question] = last with { Ttl = null, Failure = reply.Failure };
            }

            var (records, ttl) = DnsAddresses.Follow(message.Answers, question);
            return answers[question] = new DnsAddresses([.. records.Select(record => record.Address!).Where(DnsAddresses.CanBeDialled)], ttl, null);
        }
    }

    private static ImmutableArray<DiscoveredAddress> Order(IEnumerable<DiscoveredAddress> addresses)
        => [.. addresses
            .Select(member => member.Address.IsIPv4MappedToIPv6 ? member with { Address = member.Address.MapToIPv4() } : member)
            .Order()
            .DistinctBy(member => new IPEndPoint(member.Address, member.Port))
            .Take(MaxAddresses)];

    private static TimeSpan? Seconds(uint? ttl) => ttl is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
}
