using System.IO.Pipelines;
using System.Net;
using KestrelStream.Sessions;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace KestrelStream.Transport;

/// <summary>
/// One end of a session, client or upstream: bytes in, bytes out, half-close, reset. Made by an engine, owned by its session, which closes it.
/// One receive and one send may be under way at once; <see cref="Reset"/> and <see cref="Close"/> may be called from any thread.
/// </summary>
/// <remarks>
/// It is a <see cref="ConnectionContext"/> so that pipeline steps written for Kestrel run on it. What only such steps use
/// (features, items, the pipe) is made when first asked for: a session without them pays nothing.
/// </remarks>
internal abstract class StreamConnection : ConnectionContext
{
    private StepView? _steps;

    // A boxed ReadOnlyMemory<byte>: few connections have one, and idle ones are many.
    private object? _putBack;

    /// <summary>The session this is the client end of; null on an upstream end.</summary>
    public StreamSession? Session { get; set; }

    /// <summary>Waits on this connection end on the thread pool: who awaits them now may block, and the thread of an event loop must not.</summary>
    public bool ContinuesOnPool { get; set; }

    /// <summary>Is told what the kernel knows of the connection when it is closed; null = nobody asks.</summary>
    public TcpFacts? TcpFacts { get; set; }

    public override string ConnectionId
    {
        get => Steps.ConnectionId ??= Session?.IdText ?? "upstream";
        set => Steps.ConnectionId = value;
    }

    public override IFeatureCollection Features => Steps.Features ??= CreateFeatures();

    public override IDictionary<object, object?> Items
    {
        get => Steps.Items ??= new ConnectionItems();
        set => Steps.Items = value;
    }

    /// <summary>The same bytes as a pipe, for pipeline steps. What a step has looked at and not consumed is seen again by preread and relay.</summary>
    public override IDuplexPipe Transport
    {
        get => Steps.Transport ??= Steps.Pipe = new StreamConnectionPipe(this, TakePutBack());
        set => Steps.Transport = value;
    }

    /// <summary>Fires when the session has ended and both sides are closed; never on a mere FIN.</summary>
    public override CancellationToken ConnectionClosed
    {
        get => Steps.Closed.Token;
        set => throw new NotSupportedException("The session decides when a connection is closed.");
    }

    /// <summary>Bytes that were received too early and are seen again by pipeline steps, preread and relay. Before any of those, and once.</summary>
    public void PutBack(ReadOnlyMemory<byte> bytes) => _putBack = bytes.IsEmpty ? null : bytes;

    /// <summary>Bytes that a pipeline step has received and left unconsumed, or that were put back and no step has asked for.</summary>
    public ReadOnlyMemory<byte> TakeUnconsumed() => _steps?.Pipe is { } pipe ? pipe.TakeUnconsumed() : TakePutBack();

    /// <summary>The address of this end as the kernel knows it, where <see cref="ConnectionContext.LocalEndPoint"/> may be the listener's: of a listener on *, that is none.</summary>
    public virtual EndPoint? GetBoundEndPoint() => LocalEndPoint;

    /// <summary>Receives what is there, at least one byte; 0 with Ok = the peer has ended its sending.</summary>
    public abstract ValueTask<IOResult> ReceiveAsync(Memory<byte> buffer);

    /// <summary>Receives what is there, without waiting; false = nothing is, or this connection can only wait.</summary>
    public virtual bool TryReceive(Memory<byte> buffer, out IOResult result)
    {
        result = default;
        return false;
    }

    /// <summary>Whether a receive that waits holds memory besides the caller's buffer, so that <see cref="WaitToReceiveAsync"/> is to come before it.</summary>
    public virtual bool HoldsBuffersWhileReceiving => false;

    /// <summary>Whether <see cref="Close"/> tells the peer of the end as <see cref="ShutdownSendAsync"/> does; TLS has a message for that.</summary>
    public virtual bool ClosesOrderly => true;

    /// <summary>Ends when bytes (or the end) can be received at once. Holds no buffer, so an idle session owns none.</summary>
    public abstract ValueTask<IOStatus> WaitToReceiveAsync();

    /// <summary>Ends when every byte is handed to the kernel, or with an error.</summary>
    public abstract ValueTask<IOResult> SendAsync(ReadOnlyMemory<byte> buffer);

    /// <summary>Ends sending (FIN; with TLS close_notify first) after everything sent before. Receiving goes on.</summary>
    public abstract ValueTask<IOStatus> ShutdownSendAsync();

    /// <summary>Ends a receive under way as if the peer had ended its sending; sending goes on. From any thread.</summary>
    public abstract void StopReceiving();

    /// <summary>Gives the connection up with RST: what was not delivered is visibly lost. Ends operations under way with <see cref="IOStatus.Aborted"/>. Idempotent.</summary>
    public abstract void Reset();

    /// <summary>Gives the connection up without telling the peer, as far as the system allows: as HAProxy's silent-drop. On the session's own thread. Idempotent.</summary>
    public virtual void Vanish() => Reset();

    /// <summary>Closes orderly: the kernel delivers what was sent, then FIN. Idempotent; does nothing after <see cref="Reset"/>.</summary>
    public abstract void Close();

    /// <summary>
    /// After a receive has shown the end: whether it was a reset that a send under way was told of instead. The kernel reports a reset once,
    /// to whoever asks first, and then shows an end to the others.
    /// </summary>
    public abstract bool WasReset();

    /// <summary>
    /// Without waiting, on the session's own thread and with no receive under way: whether the peer has ended its sending or reset, and nothing
    /// is to be received before that.
    /// </summary>
    public virtual bool HasPeerLeft() => false;

    /// <summary>Without waiting, likewise: whether bytes of the peer wait to be received.</summary>
    public virtual bool HasReceived() => false;

    /// <summary>The same connection as one of the portable engine; this object must not be used afterwards.</summary>
    public virtual StreamConnection Detach() => this;

    /// <summary>A pipeline step gives the connection up: RST, as Kestrel does.</summary>
    public override void Abort(ConnectionAbortedException abortReason)
    {
        if (Session is { } session)
        {
            session.Abort(SessionEndReason.AccessDenied);
        }
        else
        {
            Reset();
        }
    }

    public override ValueTask DisposeAsync()
    {
        Close();
        return base.DisposeAsync();
    }

    /// <summary>Tells pipeline steps that wait for <see cref="ConnectionClosed"/>; called once by the session's end.</summary>
    public void SignalClosed() => Volatile.Read(ref _steps)?.Closed.Cancel();

    /// <summary>What steps know of this connection goes on under another object.</summary>
    protected T Succeed<T>(T successor)
        where T : StreamConnection
    {
        successor.Session = Session;
        successor.TcpFacts = TcpFacts;
        successor._steps = Steps;

        // Its pipe read from the connection that is gone.
        Steps.Pipe = null;
        Steps.Transport = null;
        return successor;
    }

    private ReadOnlyMemory<byte> TakePutBack()
    {
        var bytes = _putBack is ReadOnlyMemory<byte> kept ? kept : default;
        _putBack = null;
        return bytes;
    }

    private StepView Steps => LazyInitializer.EnsureInitialized(ref _steps, static () => new StepView());

    private FeatureCollection CreateFeatures()
    {
        var features = new FeatureCollection();
        features.Set<IStreamSessionFeature>(Session);
        return features;
    }

    /// <summary>What only pipeline steps look at. A successor of the connection has the same one.</summary>
    private sealed class StepView
    {
        public string? ConnectionId { get; set; }

        public IFeatureCollection? Features { get; set; }

        public IDictionary<object, object?>? Items { get; set; }

        public StreamConnectionPipe? Pipe { get; set; }

        public IDuplexPipe? Transport { get; set; }

        public CancellationTokenSource Closed { get; } = new();
    }
}
