using System.Net;
using System.Runtime.CompilerServices;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Preread;
using KestrelStream.Sessions;
using KestrelStream.Transport;
using Microsoft.Extensions.Logging;

namespace KestrelStream.ProxyProtocol;

/// <summary>
/// Reads the PROXY header of a session, before anything else looks at its bytes: owns trust and caps; the parser owns the verdict, the session
/// the clock. One for the process; thread-safe.
/// </summary>
internal sealed partial class ProxyHeaderReader(PrereadBudget budget, ILogger<ProxyHeaderReader> logger)
{
    /// <summary>Most received at once beyond what a header is known to need: saves a receive, and fits the smallest preread buffer.</summary>
    private const int Ahead = 512;

    /// <summary>False = the session has ended, with a reset: no header, no session.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> ReadAsync(StreamSession session)
    {
        var config = session.ListenerModel.Config.ProxyProtocol!;
        if (!session.ListenerModel.TrustedPeers!.Contains(session.Transport.RemoteEndPoint))
        {
            if (config.Mode == ProxyProtocolMode.Optional)
            {
                return true;
            }

            LogUntrusted(logger, session.IdText, session.ListenerModel.Id, session.Transport.RemoteEndPoint);
            session.Abort(SessionEndReason.AccessDenied);
            return false;
        }

        session.Enter(SessionPhase.ProxyHeader, config.Timeout);
        var buffer = new PrereadBuffer(budget, ProxyHeaderParser.MaxV2Bytes + Ahead);
        try
        {
            return await ReadAsync(session, buffer, config.Mode);
        }
        finally
        {
            buffer.Dispose();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> ReadAsync(StreamSession session, PrereadBuffer buffer, ProxyProtocolMode mode)
    {
        while (true)
        {
            var status = ProxyHeaderParser.Parse(buffer.Written.Span, out var header, out var length, out var error);
            switch (status)
            {
                case ProxyHeaderStatus.Header when !AnnouncedClient.IsCredible(header!.Source, session.Transport.RemoteEndPoint):
                    return Refuse(session, ProxyHeaderError.ForbiddenAddress);

                case ProxyHeaderStatus.Header:
                    session.SetProxyHeader(header!);
                    session.Transport.PutBack(buffer.Written[length..].ToArray());
                    return true;

                case ProxyHeaderStatus.NotHeader when mode == ProxyProtocolMode.Optional:
                    session.Transport.PutBack(buffer.Written.ToArray());
                    return true;

                case ProxyHeaderStatus.NotHeader or ProxyHeaderStatus.Malformed:
                    return Refuse(session, error);
            }

            if (!buffer.TryGetRoom(out var room))
            {
                session.Abort(SessionEndReason.LimitExceeded);
                return false;
            }

            room = room[..Math.Min(room.Length, length - buffer.Length + Ahead)];
            var received = await session.Transport.ReceiveAsync(room);
            if (received is { IsOk: true, Count: > 0 })
            {
                buffer.Advance(received.Count);
            }
            else if (received.IsOk && buffer.Length > 0 && mode == ProxyProtocolMode.Optional && buffer.Length < ProxyHeaderParser.MinBytes)
            {
                // Too short for a header, and at its end: a client that says so little, such as one line feed. The relay meets the end again.
                session.Transport.PutBack(buffer.Written.ToArray());
                return true;
            }
            else if (received.IsOk && buffer.Length > 0)
            {
                return Refuse(session, ProxyHeaderError.Truncated);
            }
            else
            {
                // Connected and gone, as simple health checks do.
                session.Abort(SessionEndReason.ClientGone);
                return false;
            }
        }
    }

    private bool Refuse(StreamSession session, ProxyHeaderError error)
    {
        LogRefused(logger, session.IdText, session.ListenerModel.Id, session.Transport.RemoteEndPoint, error);
        session.Abort(SessionEndReason.ProxyHeaderMalformed);
        return false;
    }

    [LoggerMessage(EventIds.ProxyHeaderUntrusted, LogLevel.Debug, "Session {Session} on listener {Listener}: {Peer} is none of the TrustedNetworks that may send a PROXY header")]
    private static partial void LogUntrusted(ILogger logger, string session, string listener, EndPoint? peer);

    [LoggerMessage(EventIds.ProxyHeaderRefused, LogLevel.Debug, "Session {Session} on listener {Listener}: the PROXY header from {Peer} was refused: {Error}")]
    private static partial void LogRefused(ILogger logger, string session, string listener, EndPoint? peer, ProxyHeaderError error);
}
