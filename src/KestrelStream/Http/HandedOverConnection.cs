using System.IO.Pipelines;
using System.Net;
using KestrelStream.Sessions;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace KestrelStream.Http;

/// <summary>
/// A session as Kestrel's HTTP layer sees it: two pipes, which <see cref="HttpHandOver"/> moves from and to the client, and the features that tell it
/// of the client's TLS. Made by the hand-over, disposed by Kestrel, which may be later than the session's end: a request runs on until the app is done with it.
/// </summary>
internal sealed class HandedOverConnection : ConnectionContext, IDuplexPipe, IConnectionIdFeature, IConnectionItemsFeature, IConnectionTransportFeature, IConnectionLifetimeFeature
{
    private readonly StreamSession _session;
    private readonly Pipe _input;
    private readonly Pipe _output;
    private readonly CancellationTokenSource _closed = new();
    private IDictionary<object, object?>? _items;
    private IDuplexPipe _transport;
    private string? _id;
    private volatile bool _clientHasEnded;

    /// <param name="session">Whose client it is; its TLS, if any, has been agreed on.</param>
    /// <param name="input">From the client.</param>
    /// <param name="output">To the client.</param>
    /// <param name="localEndPoint">Where the client has connected to.</param>
    public HandedOverConnection(StreamSession session, Pipe input, Pipe output, EndPoint? localEndPoint)
    {
        _session = session;
        _input = input;
        _output = output;
        _transport = this;
        LocalEndPoint = Unmapped(localEndPoint);
        RemoteEndPoint = Unmapped(session.Transport.RemoteEndPoint);
        ConnectionClosed = _closed.Token;
        Features = new FeatureCollection();
        Features.Set<IConnectionIdFeature>(this);
        Features.Set<IConnectionItemsFeature>(this);
        Features.Set<IConnectionTransportFeature>(this);
        Features.Set<IConnectionLifetimeFeature>(this);
        Features.Set<IStreamSessionFeature>(session);
        if (session.Tls is { } tls)
        {
            var features = new HandedOverTls(tls, session.ServerName);
            Features.Set<ITlsConnectionFeature>(features);
            Features.Set<ITlsHandshakeFeature>(features);
            Features.Set<ITlsApplicationProtocolFeature>(features);
        }
    }

    public override string ConnectionId
    {
        get => _id ??= _session.IdText;
        set => _id = value;
    }

    public override IFeatureCollection Features { get; }

    public override IDictionary<object, object?> Items
    {
        get => _items ??= new ConnectionItems();
        set => _items = value;
    }

    public override IDuplexPipe Transport
    {
        get => _transport;
        set => _transport = value;
    }

    public override CancellationToken ConnectionClosed { get; set; }

    PipeReader IDuplexPipe.Input => _input.Reader;

    PipeWriter IDuplexPipe.Output => _output.Writer;

    /// <summary>Nothing more comes from the client. Kestrel tells requests that run (<c>RequestAborted</c>), as it does with connections of its own.</summary>
    /// <param name="isClean">By an end of its own, not by a reset.</param>
    public void ClientEnded(bool isClean)
    {
        _clientHasEnded = isClean;

        // Not on this stack: what is registered there may run the app.
        ThreadPool.UnsafeQueueUserWorkItem(static connection => connection._closed.Cancel(), this, preferLocal: false);
    }

    /// <summary>
    /// The app, or a limit of Kestrel's, gives the connection up. Behind the client's own end that is what Kestrel always does: there is nobody to be
    /// reset, and what is written already still goes out.
    /// </summary>
    public override void Abort(ConnectionAbortedException abortReason)
    {
        if (!_clientHasEnded)
        {
            _session.Abort(SessionEndReason.UpstreamReset);
        }
    }

    public override void Abort() => Abort(new ConnectionAbortedException());

    public override ValueTask DisposeAsync()
    {
        // Kestrel leaves pipes open where it was cut short.
        _input.Reader.Complete();
        _output.Writer.Complete();
        return base.DisposeAsync();
    }

    /// <summary>A listener on all addresses sees clients of IPv4 as ::ffff:192.0.2.1; nobody writes them so in an access rule.</summary>
    private static EndPoint? Unmapped(EndPoint? endPoint)
        => endPoint is IPEndPoint { Address.IsIPv4MappedToIPv6: true } mapped ? new IPEndPoint(mapped.Address.MapToIPv4(), mapped.Port) : endPoint;
}
