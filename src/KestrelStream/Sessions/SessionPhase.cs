namespace KestrelStream.Sessions;

/// <summary>Where a session is on its path; decides what a deadline means.</summary>
/// <remarks>
/// <code>
/// [ProxyHeader →] Preread → Handshake → [Queue →] Dial → Relay → Closed   (ProxyHeader only when the listener asks for one, Handshake only when TLS ends here, Queue only when all are full)
///                 Delay before each of Preread, Handshake and Dial         (only where limits let sessions wait)
///                   └─────────┴────────────────┴──→ Refuse → Closed       (an alert is on its way to the client)
/// </code>
/// </remarks>
internal enum SessionPhase : byte
{
    Preread,
    ProxyHeader,
    Delay,
    Handshake,
    Queue,
    Dial,
    Relay,
    Refuse,
    Closed,
}
