using System.Diagnostics;
using System.Net;
using KestrelStream.Sessions;

namespace KestrelStream.Diagnostics;

/// <summary>
/// A trace of each session: one span for it, and one each for preread, handshake, dial and relay. Made at the end out of the times that were kept, so that
/// no span is carried through the session. Costs a read when nobody listens to the source <c>KestrelStream</c>. Thread-safe.
/// </summary>
internal static class SessionSpans
{
    public const string SourceName = "KestrelStream";

    private static readonly ActivitySource s_source = new(SourceName);

    /// <summary>What sessions that begin now are to keep.</summary>
    public static SessionTraceNeeds Needs => s_source.HasListeners() ? SessionTraceNeeds.Times : SessionTraceNeeds.None;

    /// <summary>The session has ended. Nothing is made of one that is not sampled.</summary>
    public static void Write(StreamSession session, TimeSpan duration)
    {
        if (session.Trace is not { } trace || !s_source.HasListeners())
        {
            return;
        }

        // Whoever called has a span of its own, maybe, and it is none of the session's.
        var outer = Activity.Current;
        Activity.Current = null;
        try
        {
            if (s_source.StartActivity("session", ActivityKind.Server, default(ActivityContext), Tags(session), null, session.Started) is not { } root)
            {
                return;
            }

            WritePhases(session, trace, root.Context, duration);
            var code = EndCodes.Of(session.EndReason, session.Route is not null, session.Destination is not null);
            if (code[0] is not ('-' or 'C' or 'c' or 'K'))
            {
                root.SetStatus(ActivityStatusCode.Error, SessionEndReasons.NameOf(session.EndReason));
            }

            root.SetEndTime((session.Started + duration).UtcDateTime);
            root.Stop();
        }
        finally
        {
            Activity.Current = outer;
        }
    }

    private static void WritePhases(StreamSession session, SessionTrace trace, ActivityContext root, TimeSpan duration)
    {
        if (trace.Hello is { } hello)
        {
            Write("preread", ActivityKind.Internal, TimeSpan.Zero, hello);
        }

        if (trace.Handshake is { } handshake)
        {
            Write("handshake", ActivityKind.Internal, trace.Hello ?? TimeSpan.Zero, handshake);
        }

        if (session.DialTime > TimeSpan.Zero)
        {
            var dialled = trace.Connected ?? duration;
            Write("dial", ActivityKind.Client, dialled - session.DialTime, dialled);
        }

        if (trace.Connected is { } connected)
        {
            Write("relay", ActivityKind.Internal, connected, duration);
        }

        void Write(string name, ActivityKind kind, TimeSpan from, TimeSpan to)
        {
            if (s_source.StartActivity(name, kind, root, null, null, session.Started + from) is { } span)
            {
                span.SetEndTime((session.Started + to).UtcDateTime);
                span.Stop();
            }
        }
    }

    /// <summary>By OpenTelemetry's names where it has some. Those without a value are left out.</summary>
    private static List<KeyValuePair<string, object?>> Tags(StreamSession session)
    {
        var client = session.ClientEndPoint as IPEndPoint;
        var upstream = session.Destination is null ? null : session.Upstream?.RemoteEndPoint as IPEndPoint;
        var tags = new List<KeyValuePair<string, object?>>
        {
            new("kestrelstream.session.id", session.IdText),
            new("kestrelstream.listener", session.ListenerModel.Id),
            new("kestrelstream.route", session.Route?.Id),
            new("kestrelstream.cluster", session.Route?.Cluster?.Id),
            new("kestrelstream.destination", session.Destination?.Id),
            new("kestrelstream.end_reason", SessionEndReasons.NameOf(session.EndReason)),
            new("kestrelstream.bytes_in", session.BytesIn),
            new("kestrelstream.bytes_out", session.BytesOut),
            new("network.transport", "tcp"),
            new("client.address", client?.Address.ToString()),
            new("client.port", client?.Port),
            new("server.address", upstream?.Address.ToString()),
            new("server.port", upstream?.Port),
            new("tls.client.server_name", session.ServerName),
            new("tls.protocol.version", session.Tls?.Version),
            new("tls.cipher", session.Tls?.Cipher),
            new("tls.resumed", session.Tls?.IsResumed),
            new("kestrelstream.starttls", session.StartTls?.Name),
            new("kestrelstream.upstream_tls.version", session.UpstreamTls?.Version),
            new("kestrelstream.upstream_tls.cipher", session.UpstreamTls?.Cipher),
            new("kestrelstream.upstream_tls.error", session.UpstreamTlsError),
        };
        tags.RemoveAll(tag => tag.Value is null);
        return tags;
    }
}
