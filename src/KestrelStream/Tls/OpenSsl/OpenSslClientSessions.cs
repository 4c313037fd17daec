using System.Net;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>
/// The last session of each member and name under one policy, to go on with. One for a policy and loop (beyond <see cref="OpenSslScope.Count"/> loops some
/// share one); thread-safe. What is left in it goes with the policy.
/// </summary>
internal sealed class OpenSslClientSessions
{
    /// <summary>A session takes some KB, most of it the destination's certificates. Names may come from clients: the oldest go.</summary>
    public const int Most = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<(EndPoint Member, string Name), OpenSslSessionHandle> _sessions = [];
    private readonly Queue<(EndPoint Member, string Name)> _order = new();

    /// <summary>Offers a session to the destination, if there is one that still may be.</summary>
    public void Offer(nint ssl, EndPoint member, string name)
    {
        lock (_gate)
        {
            if (_sessions.TryGetValue((member, name), out var session) && IsGood(session.DangerousGetHandle()))
            {
                _ = OpenSslNative.SSL_set_session(ssl, session.DangerousGetHandle());
            }
        }
    }

    /// <summary>Keeps it in place of the one before; the reference is the cache's from here on.</summary>
    public void Keep(nint session, EndPoint member, string name)
    {
        var key = (member, name);
        lock (_gate)
        {
            if (_sessions.Remove(key, out var before))
            {
                before.Dispose();
            }
            else
            {
                if (_order.Count >= Most && _sessions.Remove(_order.Dequeue(), out var oldest))
                {
                    oldest.Dispose();
                }

                _order.Enqueue(key);
            }

            _sessions.Add(key, new OpenSslSessionHandle(session));
        }
    }

    /// <summary>A resumed session is not verified again: its certificate must not have expired meanwhile.</summary>
    private static bool IsGood(nint session)
    {
        var certificate = OpenSslNative.SSL_SESSION_get0_peer(session);
        return OpenSslNative.SSL_SESSION_is_resumable(session) == 1
            && certificate != 0
            && OpenSslNative.X509_cmp_current_time(OpenSslNative.X509_get0_notAfter(certificate)) > 0;
    }
}
