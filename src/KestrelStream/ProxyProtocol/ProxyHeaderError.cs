namespace KestrelStream.ProxyProtocol;

/// <summary>What is wrong with a PROXY header.</summary>
internal enum ProxyHeaderError
{
    None,

    /// <summary>The bytes are no header at all.</summary>
    NotHeader,

    /// <summary>Longer than its version may be.</summary>
    TooLong,

    /// <summary>v1: a protocol other than TCP4, TCP6, UNKNOWN.</summary>
    Protocol,

    /// <summary>An address that is not one of the header's family.</summary>
    Address,

    /// <summary>v1: a port that is no number up to 65535, or has leading zeros.</summary>
    Port,

    /// <summary>v1: fields or line end are not as they must be.</summary>
    Syntax,

    /// <summary>v2: a version other than 2, or a command other than LOCAL and PROXY.</summary>
    Command,

    /// <summary>v2: a family and transport that do not exist.</summary>
    Family,

    /// <summary>v2: the length has no room for the addresses.</summary>
    Length,

    /// <summary>v2: a TLV that does not fit, is there twice, or is not as its type says.</summary>
    Tlv,

    /// <summary>v2: more TLVs than anyone has use for.</summary>
    TooManyTlvs,

    /// <summary>v2: the checksum is another one.</summary>
    Checksum,

    /// <summary>The connection ended within the header.</summary>
    Truncated,

    /// <summary>A client that only this machine or link can have, announced by a peer from elsewhere.</summary>
    ForbiddenAddress,
}
