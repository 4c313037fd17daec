using KestrelStream.Diagnostics;
using KestrelStream.Limits;
using KestrelStream.Model;
using KestrelStream.ProxyProtocol;
using KestrelStream.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Sessions;

/// <summary>Begins and ends sessions: admission before the pipeline, and the one exit that releases, counts and logs. Thread-safe.</summary>
internal sealed partial class SessionRunner(
    SessionTable table,
    DescriptorBudget descriptors,
    ProxyHeaderReader proxyHeaders,
    SessionPipeline pipeline,
    StreamSessionHandler handler,
    Admission admission,
    StreamProxyMetrics metrics,
    AccessLog accessLog,
    RefusedSessions refused,
    TimeProvider time,
    ILogger<SessionRunner> logger) : ISessionStarter
{
    private long _lastId;

    public void Start(StreamConnection client, ListenerState listener, SessionEnvironment environment)
    {
        var session = new StreamSession(Interlocked.Increment(ref _lastId), client, listener, environment, time.GetTimestamp(), time.GetUtcNow());
        client.Session = session;

        // In the table before any work starts: a drain that begins now waits for it.
        table.Add(session);
        var isAdmitted = admission.TryEnter(listener);
        metrics.SessionStarted(session);
        if (!isAdmitted)
        {
            session.TryEnd(SessionEndReason.ConnectionLimit);
            End(session, isAdmitted: false);
        }
        else if (pipeline.MayBlock)
        {
            client.ContinuesOnPool = true;
            _ = Task.Run(() => RunAsync(session));
        }
        else
        {
            _ = RunAsync(session);
        }
    }

    private async Task RunAsync(StreamSession session)
    {
        try
        {
            if (session.ListenerModel.TrustedPeers is not null && !await proxyHeaders.ReadAsync(session))
            {
                // It has ended.
            }
            else if (!await admission.AdmitAsync(session))
            {
                // The same.
            }
            else if (pipeline.HasSteps)
            {
                await pipeline.Run(session.Transport);

                // A step of the user's that does not call the next one has refused the client.
                session.TryEnd(SessionEndReason.AccessDenied);
            }
            else if (await handler.PrepareAsync(session))
            {
                // Here, not in a method of the handler's: each would keep its state as long as the session runs.
                await session.Relay.RunAsync(session);
            }
        }
        catch (Exception e)
        {
            if (session.TryEnd(SessionEndReason.InternalError))
            {
                LogFailed(logger, e, session.IdText, session.ListenerModel.Id);
            }

            session.ResetBoth();
        }

        End(session, isAdmitted: true);
    }

    // Order matters: clock first, so that no deadline meets a closed session; connections before the table, so that a
    // drain that sees an empty table has nothing open; records last, when nothing changes any more.
    private void End(StreamSession session, bool isAdmitted)
    {
        session.Leave();
        session.Upstream?.Close();
        session.Client.Close();
        refused.Note(session);
        session.ReleasePreread();
        if (session.Destination is { } destination)
        {
            var cluster = session.Route!.Cluster!;
            if (session.EndReason is SessionEndReason.UpstreamReset or SessionEndReason.UpstreamTlsFailed && session.BytesOut == 0)
            {
                cluster.SessionFailed(destination);
            }

            destination.CountEnd(session.BytesIn, session.BytesOut, session.EndReason is SessionEndReason.UpstreamReset or SessionEndReason.DestinationDown);
            cluster.Release(destination);
        }

        if (isAdmitted)
        {
            admission.Leave(session);
        }

        descriptors.Return();
        metrics.SessionEnded(session, time.GetElapsedTime(session.StartTimestamp));
        accessLog.Write(session);
        table.Remove(session);
        session.Transport.SignalClosed();
    }

    [LoggerMessage(EventIds.SessionFailed, LogLevel.Error, "Session {Session} on listener {Listener} ended by a defect of the proxy")]
    private static partial void LogFailed(ILogger logger, Exception exception, string session, string listener);
}
