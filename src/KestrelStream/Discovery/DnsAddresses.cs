using System.Net;
using System.Net.Sockets;

namespace KestrelStream.Discovery;

/// <summary>The addresses of one family that a name has, out of the answer to a question for them.</summary>
/// <param name="Addresses">Those that can be dialled, in the server's order.</param>
/// <param name="Ttl">The shortest of the records that led there, in seconds; null = there were none.</param>
/// <param name="Failure">Why there was no answer; null = there was.</param>
internal readonly record struct DnsAddresses(IReadOnlyList<IPAddress> Addresses, uint? Ttl, string? Failure)
{
    /// <summary>A name that is another one's alias which is another one's…: nobody means more.</summary>
    private const int MaxAliases = 16;

    /// <summary>The records that answer a question, at the end of the aliases of its name. The server has followed them, and sends them all.</summary>
    public static (List<DnsRecord> Records, uint? Ttl) Follow(IReadOnlyList<DnsRecord> answers, DnsQuestion question)
    {
        var name = question.Name;
        uint? ttl = null;
        for (var aliases = 0; aliases <= MaxAliases; aliases++)
        {
            List<DnsRecord> records = [.. answers.Where(record => record.Type == question.Type && record.Name == name)];
            if (records.Count > 0)
            {
                return (records, Shortest(ttl, records.Min(record => record.Ttl)));
            }

            var alias = answers.FirstOrDefault(record => record.Type == DnsType.Cname && record.Name == name);
            if (alias.Target is null)
            {
                break;
            }

            name = alias.Target;
            ttl = Shortest(ttl, alias.Ttl);
        }

        return ([], null);
    }

    public static uint? Shortest(uint? one, uint? other) => one < other || other is null ? one : other;

    /// <summary>Whether somebody can be there. 0.0.0.0 is what filters answer instead of an address, and a dial of it would reach this machine.</summary>
    public static bool CanBeDialled(IPAddress address)
        => address.AddressFamily == AddressFamily.InterNetworkV6
            ? !address.Equals(IPAddress.IPv6Any) && !address.IsIPv6Multicast
            : address.AddressFamily == AddressFamily.InterNetwork && address.GetAddressBytes()[0] is > 0 and < 224;
}
