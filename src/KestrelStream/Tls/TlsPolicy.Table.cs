using System.Net.Security;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Tls;

/// <summary>Which certificates a name gets.</summary>
internal sealed partial class TlsPolicy
{
    /// <summary>A certificate and the options that were made of it.</summary>
    /// <param name="State">The certificate over time.</param>
    /// <param name="Entry">As it is now.</param>
    /// <param name="Options">For SslStream.</param>
    /// <param name="KeyAlgorithm">The object identifier of its key's kind.</param>
    private sealed record Choice(CertificateState State, CertificateEntry Entry, SslServerAuthenticationOptions Options, string KeyAlgorithm);

    /// <summary>What a client gets that asks for a name: a certificate, and maybe one for the same name with a key of another kind.</summary>
    private sealed class Offer(TlsPolicy policy, Choice leader, Choice? partner)
    {
        private readonly Lazy<OpenSslContext> _context = new(
            () => new OpenSslContext(policy._config, policy._trust, partner is null ? [leader.Entry] : [leader.Entry, partner.Entry]));

        public Choice Leader => leader;

        public Choice? Partner => partner;

        public OpenSslContext Context => _context.Value;
    }

    /// <summary>Finds the certificate for a name: exactly, then by wildcard, else the first one.</summary>
    private sealed class Table
    {
        private readonly Dictionary<string, Offer> _exact = new(StringComparer.OrdinalIgnoreCase);

        // By what follows the "*."; it stands for exactly one label (RFC 6125 §6.4.3), so that at most one wildcard can match.
        private readonly Dictionary<string, Offer>.AlternateLookup<ReadOnlySpan<char>> _wildcard =
            new Dictionary<string, Offer>(StringComparer.OrdinalIgnoreCase).GetAlternateLookup<ReadOnlySpan<char>>();

        private readonly Dictionary<(Choice, Choice?), Offer> _offers = [];
        private readonly Offer _default;

        /// <param name="version">Of the store when this was made.</param>
        /// <param name="choices">In the order of the route's list.</param>
        /// <param name="previous">Offers that are the same are taken over, and with them the sessions that clients can resume.</param>
        /// <param name="policy">Whose table it is.</param>
        public Table(int version, Choice[] choices, Table? previous, TlsPolicy policy)
        {
            Version = version;
            Choices = choices;

            // What only stands in for a certificate comes behind those that are there.
            Choice[] ordered = [.. choices.OrderBy(choice => choice.Entry.IsStandIn)];
            foreach (var choice in ordered)
            {
                foreach (var name in choice.Entry.DnsNames)
                {
                    var (map, key) = name.StartsWith("*.", StringComparison.Ordinal) ? (_wildcard.Dictionary, name[2..]) : (_exact, name);
                    map[key] = map.TryGetValue(key, out var offer) ? Join(offer, choice) : OfferOf(choice, null);
                }
            }

            var first = ordered[0];
            var partner = ordered.FirstOrDefault(choice => choice.Entry.IsStandIn == first.Entry.IsStandIn && choice.KeyAlgorithm != first.KeyAlgorithm && !first.Entry.DnsNames.Except(choice.Entry.DnsNames).Any());
            _default = OfferOf(first, partner);

            Offer Join(Offer offer, Choice choice)
                => offer.Partner is null && choice.Entry.IsStandIn == offer.Leader.Entry.IsStandIn && offer.Leader.KeyAlgorithm != choice.KeyAlgorithm ? OfferOf(offer.Leader, choice) : offer;

            Offer OfferOf(Choice leader, Choice? other)
            {
                if (!_offers.TryGetValue((leader, other), out var offer))
                {
                    offer = previous?._offers.GetValueOrDefault((leader, other)) ?? new Offer(policy, leader, other);
                    _offers.Add((leader, other), offer);
                }

                return offer;
            }
        }

        /// <summary>Of the store when this was made.</summary>
        public int Version { get; }

        /// <summary>In the order of the route's list.</summary>
        public Choice[] Choices { get; }

        public Offer Choose(string? serverName)
        {
            if (serverName is null)
            {
                return _default;
            }

            if (_exact.TryGetValue(serverName, out var offer))
            {
                return offer;
            }

            var dot = serverName.IndexOf('.', StringComparison.Ordinal);
            return dot > 0 && _wildcard.TryGetValue(serverName.AsSpan(dot + 1), out offer) ? offer : _default;
        }
    }
}
