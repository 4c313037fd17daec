using System.Net;
using KestrelStream.Transport;

namespace KestrelStream.Dialing;

/// <summary>One dial of a session, as log and API show it. With TLS it ends with the handshake.</summary>
internal readonly record struct DialAttempt(string Destination, EndPoint? Address, ConnectStatus Result, TimeSpan Elapsed)
{
    /// <summary>Why it failed, where there is more to say; null = there is not.</summary>
    public string? Detail { get; init; }
}
