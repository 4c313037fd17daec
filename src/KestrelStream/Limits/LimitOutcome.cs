namespace KestrelStream.Limits;

/// <summary>What became of a session or handshake that met a limit.</summary>
internal enum LimitOutcome : byte
{
    Refused,
    Delayed,
    Dropped,
}
