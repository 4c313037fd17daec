using KestrelStream.Preread;
using KestrelStream.Transport;

namespace KestrelStream.Sessions;

/// <summary>
/// When a session came how far, and what else is kept of it only while an access log or a tracer asks. Made at accept, for those who look at the end; a
/// session without one pays a null check. Written by the session's own thread; each value once, so that others may read.
/// </summary>
internal sealed class SessionTrace
{
    private readonly TimeProvider _time;
    private readonly long _started;
    private readonly SessionTraceNeeds _needs;
    private long _hello;
    private long _handshake;
    private long _connected;
    private long _firstByteIn;
    private long _firstByteOut;

    public SessionTrace(SessionTraceNeeds needs, TimeProvider time, long started)
    {
        _needs = needs;
        _time = time;
        _started = started;
        if ((needs & SessionTraceNeeds.TcpInfo) != 0)
        {
            ClientTcp = new TcpFacts();
            UpstreamTcp = new TcpFacts();
        }
    }

    /// <summary>From accept to the end of preread; null = it did not come so far.</summary>
    public TimeSpan? Hello => After(_hello);

    /// <summary>From accept to the end of the handshake with the client.</summary>
    public TimeSpan? Handshake => After(_handshake);

    /// <summary>From accept until the destination was connected.</summary>
    public TimeSpan? Connected => After(_connected);

    /// <summary>From accept until the first byte of the client was handed to the destination.</summary>
    public TimeSpan? FirstByteIn => After(_firstByteIn);

    /// <summary>From accept until the first byte of the destination was handed to the client.</summary>
    public TimeSpan? FirstByteOut => After(_firstByteOut);

    /// <summary>Body of the client's ProtocolNameList (RFC 7301 §3.1); null = no ALPN, or not asked for.</summary>
    public byte[]? AlpnOffered { get; private set; }

    /// <summary>The client's fingerprint; null = no TLS, or not asked for.</summary>
    public string? Ja4 { get; private set; }

    /// <summary>Filled when the client's connection is closed; null = not asked for.</summary>
    public TcpFacts? ClientTcp { get; private set; }

    /// <summary>As <see cref="ClientTcp"/>, of the destination's.</summary>
    public TcpFacts? UpstreamTcp { get; private set; }

    /// <summary>Is told when the session is connected with its destination.</summary>
    public Action<StreamSession>? OnConnected { get; init; }

    /// <summary>Records of running sessions that were written. For the one who writes them.</summary>
    public int Intervals { get; set; }

    /// <summary>The record of the end was written: none of a running session may follow. Under the lock of this object.</summary>
    public bool HasEnded { get; set; }

    /// <summary>What is known by now: for a record that is formatted later, while the session goes on.</summary>
    public SessionTrace Copy()
    {
        var copy = (SessionTrace)MemberwiseClone();
        copy.ClientTcp = copy.UpstreamTcp = null;
        return copy;
    }

    public void PrereadEnded() => Mark(ref _hello);

    public void HandshakeEnded() => Mark(ref _handshake);

    public void FirstIn() => Mark(ref _firstByteIn);

    public void FirstOut() => Mark(ref _firstByteOut);

    public void RelayBegins(StreamSession session)
    {
        Mark(ref _connected);
        OnConnected?.Invoke(session);
    }

    /// <summary>The bytes of the hello are here, for the last time.</summary>
    public void SetHello(in ClientHello hello, ReadOnlySpan<byte> received, in ClientHelloParser parser)
    {
        if ((_needs & SessionTraceNeeds.AlpnOffered) != 0 && !hello.AlpnList.IsEmpty)
        {
            AlpnOffered = hello.AlpnList.ToArray();
        }

        if ((_needs & SessionTraceNeeds.Ja4) != 0)
        {
            Ja4 = Preread.Ja4.Of(hello, parser.GetMessage(received));
        }
    }

    private void Mark(ref long at) => Volatile.Write(ref at, _time.GetTimestamp());

    private TimeSpan? After(long at) => at == 0 ? null : _time.GetElapsedTime(_started, at);
}
