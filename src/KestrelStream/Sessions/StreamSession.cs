using System.Globalization;
using System.Net;
using KestrelStream.Diagnostics;
using KestrelStream.Dialing;
using KestrelStream.Model;
using KestrelStream.Preread;
using KestrelStream.ProxyProtocol;
using KestrelStream.Relay;
using KestrelStream.Routing;
using KestrelStream.StartTls;
using KestrelStream.Tls;
using KestrelStream.Transport;

namespace KestrelStream.Sessions;

/// <summary>
/// One client connection from accept to log line: facts, byte counts, clocks and the one end reason. Owned by its handler;
/// clocks, drain and the API may call <see cref="Abort"/> from other threads.
/// </summary>
internal sealed partial class StreamSession : TimerNode, IStreamSessionFeature
{
    private readonly long _started;
    private int _endReason;
    private int _sending;
    private string? _idText;
    private RareFacts? _rare;
    private StreamConnection? _upstream;
    private TlsFacts? _tls;

    public StreamSession(long id, StreamConnection client, ListenerState listener, SessionEnvironment environment, long startTimestamp, DateTimeOffset started)
    {
        Id = id;
        Client = client;
        Transport = client;
        Listener = listener;
        ListenerModel = listener.Model;
        Environment = environment;
        StartTimestamp = startTimestamp;
        _started = started.UtcTicks;
    }

    public long Id { get; }

    public string IdText => _idText ??= Id.ToString("x", CultureInfo.InvariantCulture);

    long IStreamSessionFeature.SessionId => Id;

    string IStreamSessionFeature.ListenerId => ListenerModel.Id;

    public DateTimeOffset Started => new(_started, TimeSpan.Zero);

    public long StartTimestamp { get; }

    /// <summary>The connection that was accepted: what a deadline resets.</summary>
    public StreamConnection Transport { get; set; }

    /// <summary>What is relayed with the client: <see cref="Transport"/>, or TLS on top of it.</summary>
    public StreamConnection Client { get; set; }

    public StreamConnection? Upstream
    {
        get => _upstream;
        set
        {
            _upstream = value;
            if (value is not null && Trace?.UpstreamTcp is { } facts)
            {
                value.TcpFacts = facts;
            }
        }
    }

    public ListenerState Listener { get; }

    /// <summary>The snapshot it was accepted under; a reload does not change it.</summary>
    public ListenerModel ListenerModel { get; }

    public SessionEnvironment Environment { get; set; }

    /// <summary>Moves its bytes once both ends are there: the environment's, unless the other end is in this process.</summary>
    public IStreamRelay Relay
    {
        get => _rare?.Relay ?? Environment.Relay;
        set => Rare.Relay = value;
    }

    public RouteModel? Route { get; set; }

    public DestinationState? Destination { get; set; }

    /// <summary>Server name of the ClientHello, validated and lower-cased; null = none.</summary>
    public string? ServerName { get; set; }

    /// <summary>The client has sent a well-formed ClientHello.</summary>
    public bool HasHello { get; private set; }

    /// <summary>What the peer has said of the client, before all of its bytes; null = nothing, it is the client.</summary>
    public ProxyHeader? ProxyHeader
    {
        get => _rare?.ProxyHeader;
        set => Rare.ProxyHeader = value;
    }

    /// <summary>The client: who the PROXY header says, or whoever has connected. What is logged, shown, hashed and told to destinations.</summary>
    public EndPoint? ClientEndPoint => ProxyHeader?.Source ?? Transport.RemoteEndPoint;

    /// <summary><see cref="ClientEndPoint"/> for a table of routes; null = none of them asks for it.</summary>
    public EndPoint? ClientFor(RouteTable routes) => routes.LooksAtClients ? ClientEndPoint : null;

    /// <summary>Whoever has connected.</summary>
    public EndPoint? PeerEndPoint => ProxyHeader?.Source is null ? Transport.RemoteEndPoint : _rare!.Peer;

    /// <summary>Whom rules and limits have seen, whatever steps of the app make of the connection.</summary>
    public EndPoint? AdmittedClient { get; set; }

    /// <summary>It counts under the limits of its listener, and gives its place back at its end.</summary>
    public bool HoldsListenerLimits { get; set; }

    /// <summary>The same of its route.</summary>
    public bool HoldsRouteLimits { get; set; }

    /// <summary>A PROXY header that is still to be sent to the destination, before any other byte; empty = none.</summary>
    public ReadOnlyMemory<byte> UpstreamHeader
    {
        get => _rare?.UpstreamHeader ?? default;
        set
        {
            if (_rare is not null || !value.IsEmpty)
            {
                Rare.UpstreamHeader = value;
            }
        }
    }

    /// <summary>The protocol in which the client has asked for TLS; null = it began with TLS, or has none.</summary>
    public StartTlsDialog? StartTls
    {
        get => _rare?.StartTls;
        set => Rare.StartTls = value;
    }

    /// <summary>TLS with its destination begins behind the talk of <see cref="StartTls"/>, not with the dial.</summary>
    public bool DefersUpstreamTls { get; set; }

    /// <summary>Its TLS ends without close_notify, both ways: the protocol inside says itself what is whole, and its programs close so and do not read one.</summary>
    public bool EndsWithoutNotify => StartTls is { EndsWithoutNotify: true };

    /// <summary>Facts of the handshake when TLS ended here.</summary>
    public TlsFacts? Tls
    {
        get => _tls;
        set
        {
            _tls = value;
            Trace?.HandshakeEnded();
        }
    }

    /// <summary>Facts of the handshake with the destination when TLS is spoken with it.</summary>
    public TlsFacts? UpstreamTls
    {
        get => _rare?.UpstreamTls;
        set => Rare.UpstreamTls = value;
    }

    /// <summary>How long that handshake took.</summary>
    public TimeSpan UpstreamTlsTime
    {
        get => _rare?.UpstreamTlsTime ?? default;
        set => Rare.UpstreamTlsTime = value;
    }

    /// <summary>How TLS with the destination broke after its handshake, in OpenSSL's words; null = it did not.</summary>
    public string? UpstreamTlsError
    {
        get => _rare?.UpstreamTlsError;
        set => Rare.UpstreamTlsError = value;
    }

    /// <summary>Every dial of the session, in order.</summary>
    public List<DialAttempt>? Attempts
    {
        get => _rare?.Attempts;
        set => Rare.Attempts = value;
    }

    /// <summary>Time all dials took together.</summary>
    public TimeSpan DialTime { get; set; }

    /// <summary>Time it has waited for a destination with room; zero = it has not.</summary>
    public TimeSpan QueueTime
    {
        get => _rare?.QueueTime ?? default;
        set => Rare.QueueTime = value;
    }

    /// <summary>What an access log or a tracer wants to know beside; null = nobody does.</summary>
    public SessionTrace? Trace { get; init; }

    /// <summary>What is kept of the client's bytes after it was refused; null = it was not, or nothing is.</summary>
    public RefusedBytes? RefusedBytes
    {
        get => _rare?.RefusedBytes;
        set => Rare.RefusedBytes = value;
    }

    /// <summary>Bytes that the client sent before its route was known; null = none were read, or they are forwarded already.</summary>
    public PrereadBuffer? Preread { get; set; }

    /// <summary>A wait for the client's first bytes that preread began and the relay goes on with (a server-first route).</summary>
    public Task<IOStatus>? PendingWait { get; set; }

    /// <summary>Payload from the client that was handed to the destination.</summary>
    public long BytesIn;

    /// <summary>Payload handed to the client.</summary>
    public long BytesOut;

    /// <summary>None while it runs.</summary>
    public SessionEndReason EndReason => (SessionEndReason)Volatile.Read(ref _endReason);

    public bool HasEnded => EndReason != SessionEndReason.None;

    /// <summary>Payload a second that may go to its client; 0 = unlimited.</summary>
    public int DownloadBytesPerSecond => Smaller(ListenerModel.Limits?.DownloadBytesPerSecond ?? 0, Route?.Limits?.DownloadBytesPerSecond ?? 0);

    /// <summary>Payload a second that is taken from its client; 0 = unlimited.</summary>
    public int UploadBytesPerSecond => Smaller(ListenerModel.Limits?.UploadBytesPerSecond ?? 0, Route?.Limits?.UploadBytesPerSecond ?? 0);

    /// <summary>Links of <see cref="SessionTable"/>.</summary>
    internal StreamSession? TablePrevious;

    /// <summary>Links of <see cref="SessionTable"/>.</summary>
    internal StreamSession? TableNext;

    /// <summary>The first cause wins.</summary>
    public bool TryEnd(SessionEndReason reason)
        => Interlocked.CompareExchange(ref _endReason, (int)reason, (int)SessionEndReason.None) == (int)SessionEndReason.None;

    /// <summary>Ends it for a reason of ours, with a reset to both sides. From any thread.</summary>
    public void Abort(SessionEndReason reason)
    {
        TryEnd(reason);
        ResetBoth();
    }

    /// <summary>An operator ends it. False when it has ended already. From any thread.</summary>
    public bool TryClose()
    {
        if (Phase == SessionPhase.Closed || !TryEnd(SessionEndReason.ClosedByOperator))
        {
            return false;
        }

        ResetBoth();
        return true;
    }

    /// <summary>Ends it without a word to the client. Before it has a destination.</summary>
    public void Vanish(SessionEndReason reason)
    {
        TryEnd(reason);
        Transport.Vanish();
    }

    public void ResetBoth()
    {
        Volatile.Read(ref _place)?.Leave();
        Volatile.Read(ref _wait)?.TrySetResult(false);
        Transport.Reset();
        Upstream?.Reset();
    }

    /// <summary>Payload from the client was handed to the destination.</summary>
    public void CountIn(int count)
    {
        if (BytesIn == 0 && count > 0)
        {
            Trace?.FirstIn();
        }

        BytesIn += count;
    }

    /// <summary>Payload was handed to the client.</summary>
    public void CountOut(int count)
    {
        if (BytesOut == 0 && count > 0)
        {
            Trace?.FirstOut();
        }

        BytesOut += count;
    }

    /// <summary>A send has begun (+1) or ended (−1): bytes that are under way make an end of ours a visible loss.</summary>
    public void Sending(int change) => Interlocked.Add(ref _sending, change);

    /// <summary>The session stands for who the header says: for pipeline steps too, which know the connection alone.</summary>
    public void SetProxyHeader(ProxyHeader header)
    {
        Rare.Peer = Transport.RemoteEndPoint;
        ProxyHeader = header;
        if (header.Source is { } source)
        {
            Transport.RemoteEndPoint = source;
        }
    }

    /// <summary>Keeps of the hello what outlives its bytes.</summary>
    public void SetHello(in ClientHello hello)
    {
        HasHello = true;
        ServerName = hello.ServerName;
    }

    /// <summary>The preread bytes were forwarded, or are not needed any more.</summary>
    public void ReleasePreread()
    {
        Preread?.Dispose();
        Preread = null;
    }

    /// <summary>
    /// An end of sending alone is no farewell: a client may have sent its whole request. But one that has sent nothing has, and a TLS client
    /// cannot get through its handshake any more. What came with a PROXY header is not looked at. With no receive under way.
    /// </summary>
    public bool ClientHasLeft() => (HasHello || (Preread is not { Length: > 0 } && ProxyHeader is null)) && Transport.HasPeerLeft();

    private static int Smaller(int one, int other) => one == 0 ? other : other == 0 ? one : Math.Min(one, other);

    private RareFacts Rare => _rare ?? Interlocked.CompareExchange(ref _rare, new RareFacts(), null) ?? _rare;
}
