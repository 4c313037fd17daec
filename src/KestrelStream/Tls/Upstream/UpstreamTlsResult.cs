using KestrelStream.Transport;

namespace KestrelStream.Tls.Upstream;

/// <summary>How a handshake with a destination ended.</summary>
/// <param name="Status">Connected = TLS is spoken now.</param>
/// <param name="Problem">Why it is not; null = it is, or there is no more to say.</param>
internal readonly record struct UpstreamTlsResult(ConnectStatus Status, string? Problem = null);
