namespace KestrelStream.Discovery;

/// <summary>A name server's answer, parsed. Immutable.</summary>
/// <param name="ResponseCode">With the upper bits of EDNS.</param>
/// <param name="IsTruncated">There is more than fits; its records were not looked at, TCP has them all.</param>
/// <param name="Answers">Of the types that are understood.</param>
/// <param name="Additional">What the server thinks will be asked next.</param>
internal sealed record DnsMessage(
    DnsResponseCode ResponseCode, bool IsTruncated, IReadOnlyList<DnsRecord> Answers, IReadOnlyList<DnsRecord> Additional);
