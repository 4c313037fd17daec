namespace KestrelStream.Discovery;

/// <summary>Record types that are asked for or understood; others are skipped.</summary>
internal enum DnsType : ushort
{
    A = 1,
    Cname = 5,
    Aaaa = 28,
    Srv = 33,

    /// <summary>EDNS (RFC 6891): no record of a name, but the sizes and the upper bits of the response code.</summary>
    Opt = 41,
}
