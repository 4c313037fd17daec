using System.Net;

namespace KestrelStream.Discovery;

/// <summary>A record of one of the types in <see cref="DnsType"/>. Names are in lower case and have no trailing dot; the root is empty.</summary>
/// <param name="Name">Whose record it is.</param>
/// <param name="Type">Says which of the following are set.</param>
/// <param name="Ttl">In seconds.</param>
/// <param name="Address">Of A and AAAA.</param>
/// <param name="Target">Of SRV and CNAME.</param>
/// <param name="Priority">Of SRV: the lowest first.</param>
/// <param name="Weight">Of SRV.</param>
/// <param name="Port">Of SRV.</param>
internal readonly record struct DnsRecord(
    string Name, DnsType Type, uint Ttl, IPAddress? Address = null, string? Target = null, ushort Priority = 0, ushort Weight = 0, ushort Port = 0);
