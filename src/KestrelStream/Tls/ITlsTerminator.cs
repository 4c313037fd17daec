using KestrelStream.Sessions;

namespace KestrelStream.Tls;

/// <summary>Ends a client's TLS. The seam between TLS libraries.</summary>
internal interface ITlsTerminator
{
    /// <summary>Brings a session to the engine on which its handshake will run: to be called before it has an upstream connection, where that comes first.</summary>
    ValueTask PrepareAsync(StreamSession session, TlsPolicy policy);

    /// <summary>
    /// Shakes hands under the policy of the session's route, which was chosen by our own parser: the library's idea of the server name is never asked.
    /// On success <see cref="StreamSession.Client"/> gives plain bytes. On failure the session has its end reason, its client an alert, and is closed.
    /// </summary>
    ValueTask<bool> TerminateAsync(StreamSession session, TlsPolicy policy);
}
