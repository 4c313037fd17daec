using System.Collections.Immutable;
using System.Net;
using KestrelStream.Configuration;

namespace KestrelStream.Discovery;

/// <summary>
/// Asks name servers, one after another until one answers, twice around at most: what the resolver of the C library does, for record types
/// that it does not know. The servers are expected to resolve for us (recursion). Thread-safe.
/// </summary>
internal sealed class DnsClient(TimeProvider time, NameServers systemServers)
{
    private const int Rounds = 2;

    private volatile Settings _settings = Settings.Of(null);

    /// <summary>The configuration says which servers are to be asked.</summary>
    public bool HasOwnServers => !_settings.Servers.IsEmpty;

    /// <summary>Takes over the settings of a reload.</summary>
    /// <returns>Whether anything has changed.</returns>
    public bool Apply(ResolverConfig? config)
    {
        var before = _settings;
        var after = Settings.Of(config);
        _settings = after;
        return before.Timeout != after.Timeout || !before.Servers.SequenceEqual(after.Servers);
    }

    /// <summary>An answer with <see cref="DnsResponseCode.NoError"/> or <see cref="DnsResponseCode.NameError"/>; anything else is a failure. Never throws.</summary>
    public async ValueTask<DnsReply> AskAsync(DnsQuestion question, CancellationToken cancellationToken)
    {
        var settings = _settings;
        var servers = settings.Servers.IsEmpty ? systemServers.Read() : settings.Servers;
        var failure = "there is no name server";
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var server in servers)
            {
                if (cancellationToken.IsCancellationRequested)
                {
                    return DnsReply.Failed("stopped");
                }

                var reply = await AskAsync(server, question, settings.Timeout, cancellationToken);
                if (reply.Message is { ResponseCode: DnsResponseCode.NoError or DnsResponseCode.NameError })
                {
                    return reply;
                }

                failure = reply.Failure ?? $"{server} answered {NameOf(reply.Message!.ResponseCode)}";
            }
        }

        return DnsReply.Failed(failure);
    }

    private async ValueTask<DnsReply> AskAsync(IPEndPoint server, DnsQuestion question, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var reply = await WithinAsync(token => DnsExchange.AskOverUdpAsync(server, question, withEdns: true, token));
        if (reply.Message is { ResponseCode: DnsResponseCode.FormatError or DnsResponseCode.NotImplemented or DnsResponseCode.BadVersion })
        {
            // RFC 6891 §7: it does not know EDNS.
            reply = await WithinAsync(token => DnsExchange.AskOverUdpAsync(server, question, withEdns: false, token));
        }

        return reply.Message is { IsTruncated: true } ? await WithinAsync(token => DnsExchange.AskOverTcpAsync(server, question, token)) : reply;

        async ValueTask<DnsReply> WithinAsync(Func<CancellationToken, ValueTask<DnsReply>> ask)
        {
            using var late = new CancellationTokenSource(timeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
            return await ask(either.Token);
        }
    }

    /// <summary>As dig shows it.</summary>
    private static string NameOf(DnsResponseCode code) => code switch
    {
        DnsResponseCode.FormatError => "FORMERR",
        DnsResponseCode.ServerFailure => "SERVFAIL",
        DnsResponseCode.NotImplemented => "NOTIMP",
        DnsResponseCode.Refused => "REFUSED",
        _ => $"code {(int)code}",
    };

    private sealed record Settings(ImmutableArray<IPEndPoint> Servers, TimeSpan Timeout)
    {
        public static Settings Of(ResolverConfig? config)
        {
            var servers = ImmutableArray.CreateBuilder<IPEndPoint>();
            foreach (var text in config?.Servers ?? [])
            {
                if (NameServers.TryParse(text, out var server))
                {
                    servers.Add(server!);
                }
            }

            return new Settings(servers.ToImmutable(), (config ?? new ResolverConfig()).Timeout);
        }
    }
}
