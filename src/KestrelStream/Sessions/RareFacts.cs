using System.Net;
using KestrelStream.Diagnostics;
using KestrelStream.Dialing;
using KestrelStream.ProxyProtocol;
using KestrelStream.Relay;
using KestrelStream.StartTls;
using KestrelStream.Tls;

namespace KestrelStream.Sessions;

/// <summary>What few sessions have, kept apart so that thousands of idle ones do not have room for it. Made with the first of these facts; owned by its <see cref="StreamSession"/>, which documents them.</summary>
internal sealed class RareFacts
{
    public EndPoint? Peer { get; set; }

    public ProxyHeader? ProxyHeader { get; set; }

    public ReadOnlyMemory<byte> UpstreamHeader { get; set; }

    public TlsFacts? UpstreamTls { get; set; }

    public TimeSpan UpstreamTlsTime { get; set; }

    public string? UpstreamTlsError { get; set; }

    public List<DialAttempt>? Attempts { get; set; }

    public TimeSpan QueueTime { get; set; }

    public RefusedBytes? RefusedBytes { get; set; }

    public StartTlsDialog? StartTls { get; set; }

    public TaskCompletionSource? Silence { get; set; }

    public IStreamRelay? Relay { get; set; }
}
