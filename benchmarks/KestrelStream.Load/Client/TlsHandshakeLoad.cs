using System.Net;
using KestrelStream.Load.Interop;

namespace KestrelStream.Load.Client;

/// <summary>Handshake, small exchange, close_notify; full or resumed. Unit: one connection.</summary>
internal sealed unsafe class TlsHandshakeLoad(IPEndPoint proxy, bool isResumed) : ILoad
{
    private const int Workers = 8;
    private const int BufferBytes = 64;

    private readonly TlsContext _context = new();
    private readonly nint[] _sessions = new nint[Workers];
    private long _started;

    public void Prepare(LoadErrors errors)
    {
        if (!isResumed)
        {
            return;
        }

        for (int worker = 0; worker < Workers; worker++)
        {
            Connect(worker, mustResume: false, errors);
        }
    }

    public void Run(long amount, LoadErrors errors)
    {
        var threads = new Thread[Workers];
        for (int i = 0; i < Workers; i++)
        {
            int worker = i;
            long share = (amount / Workers) + (worker < amount % Workers ? 1 : 0);
            threads[worker] = new Thread(() =>
            {
                for (long n = 0; n < share && !errors.TooMany; n++)
                {
                    Connect(worker, isResumed, errors);
                }
            })
            { IsBackground = true };
            threads[worker].Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }
    }

    public void Dispose()
    {
        foreach (nint session in _sessions)
        {
            OpenSsl.SSL_SESSION_free(session);
        }

        _context.Dispose();
    }

    private void Connect(int worker, bool mustResume, LoadErrors errors)
    {
        byte* buffer = stackalloc byte[BufferBytes];
        using TlsConnection? connection = TlsConnection.Open(_context, proxy, Interlocked.Increment(ref _started), _sessions[worker], errors);
        if (connection is null)
        {
            return;
        }

        if (connection.IsResumed != mustResume)
        {
            errors.Add(mustResume ? "the session was not resumed" : "a session was resumed");
            return;
        }

        if (!connection.Exchange(buffer))
        {
            errors.Add("no or wrong reply over TLS");
            return;
        }

        if (isResumed)
        {
            OpenSsl.SSL_SESSION_free(_sessions[worker]);
            _sessions[worker] = connection.TakeSession();
        }

        if (!connection.CloseCleanly(buffer))
        {
            errors.Add("the proxy did not close after close_notify");
        }
    }
}
