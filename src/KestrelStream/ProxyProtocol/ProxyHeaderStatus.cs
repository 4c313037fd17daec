namespace KestrelStream.ProxyProtocol;

/// <summary>Verdict on the first bytes of a connection. The same however they were cut.</summary>
internal enum ProxyHeaderStatus
{
    /// <summary>Everything so far is the beginning of a header.</summary>
    NeedMore,

    Header,

    /// <summary>They do not begin as a header does.</summary>
    NotHeader,

    /// <summary>They begin as one and break its rules.</summary>
    Malformed,
}
