namespace KestrelStream.Sessions;

/// <summary>What a <see cref="SessionTrace"/> is to keep.</summary>
[Flags]
internal enum SessionTraceNeeds
{
    None = 0,
    Times = 1,
    AlpnOffered = 2,
    Ja4 = 4,
    TcpInfo = 8,
}
