namespace KestrelStream.Limits;

/// <summary>The limits that a session can meet, as the metrics name them.</summary>
internal enum LimitKind : byte
{
    Sessions,
    ClientSessions,
    SessionRate,
    ClientSessionRate,
    HandshakeRate,
    ClientHandshakeRate,

    /// <summary>The table of clients is full of clients that have sessions.</summary>
    Clients,
}
