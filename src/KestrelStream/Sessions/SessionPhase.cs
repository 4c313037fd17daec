namespace KestrelStream.Sessions;

/// <summary>Where a session is on its path; decides what a deadline means.</summary>
/// <remarks>
/// <code>
/// Preread → Handshake → Dial → Relay → Closed        (Handshake only when TLS ends here)
///    └─────────┴─────────┴──→ Refuse → Closed         (an alert is on its way to the client)
/// </code>
/// </remarks>
internal enum SessionPhase : byte
{
    Preread,
    Handshake,
    Dial,
    Relay,
    Refuse,
    Closed,
}
