using System.Net;
using System.Runtime.InteropServices;
using KestrelStream.Load.Backend;
using KestrelStream.Load.Interop;

namespace KestrelStream.Load.Client;

/// <summary>One blocking TLS connection to a terminated listener. One thread uses it.</summary>
internal sealed unsafe class TlsConnection : IDisposable
{
    private readonly int _descriptor;
    private readonly nint _ssl;

    private TlsConnection(int descriptor, nint ssl)
    {
        _descriptor = descriptor;
        _ssl = ssl;
    }

    public bool IsResumed => OpenSsl.SSL_session_reused(_ssl) == 1;

    /// <summary>Connects and shakes hands; null after an error was counted.</summary>
    /// <param name="context">Settings of the connection.</param>
    /// <param name="proxy">Where to connect to.</param>
    /// <param name="number">Chooses the source address.</param>
    /// <param name="session">A session to resume, or 0 for a full handshake.</param>
    /// <param name="errors">Takes the reason when it fails.</param>
    public static TlsConnection? Open(TlsContext context, IPEndPoint proxy, long number, nint session, LoadErrors errors)
    {
        int descriptor = Libc.Connect(LoopbackPlan.ClientSource(number), Libc.PackEndpoint(proxy), noDelay: true);
        if (descriptor < 0)
        {
            errors.Add($"connect: {Marshal.GetLastPInvokeErrorMessage()}");
            return null;
        }

        Libc.SetReceiveTimeout(descriptor, seconds: 10);
        nint ssl = OpenSsl.SSL_new(context.Handle);
        OpenSsl.SetServerName(ssl, TlsContext.ServerName);
        _ = OpenSsl.SSL_set_fd(ssl, descriptor);
        if (session != 0)
        {
            _ = OpenSsl.SSL_set_session(ssl, session);
        }

        var connection = new TlsConnection(descriptor, ssl);
        if (OpenSsl.SSL_connect(ssl) == 1 && OpenSsl.SSL_version(ssl) == OpenSsl.Tls13)
        {
            return connection;
        }

        errors.Add("TLS 1.3 handshake failed");
        connection.Dispose();
        return null;
    }

    /// <summary>Sends the small request and takes the small reply.</summary>
    public bool Exchange(byte* buffer)
    {
        int have = 0;
        bool isAlive = Send(Payload.Request);
        while (isAlive && have < Payload.MessageBytes)
        {
            int received = Receive(buffer + have, Payload.MessageBytes - have);
            isAlive = received > 0;
            have += Math.Max(0, received);
        }

        return isAlive && new ReadOnlySpan<byte>(buffer, Payload.MessageBytes).SequenceEqual(Payload.Reply);
    }

    public bool Send(byte[] bytes)
    {
        fixed (byte* start = bytes)
        {
            return OpenSsl.SSL_write(_ssl, start, bytes.Length) == bytes.Length;
        }
    }

    public int Receive(byte* buffer, int length) => OpenSsl.SSL_read(_ssl, buffer, length);

    /// <summary>The newest session; the caller frees it. Tickets follow the handshake, so read something first.</summary>
    public nint TakeSession() => OpenSsl.SSL_get1_session(_ssl);

    /// <summary>Sends close_notify and waits for the proxy to end the connection, so that its side of the close falls into the measured span.</summary>
    public bool CloseCleanly(byte* buffer)
    {
        _ = OpenSsl.SSL_shutdown(_ssl);
        int received = OpenSsl.SSL_read(_ssl, buffer, 1);
        bool isClean = received == 0 && OpenSsl.SSL_get_error(_ssl, received) == OpenSsl.ErrorZeroReturn;

        // A plain end makes OpenSSL forget that it sent close_notify, and a session that ended without one may not be resumed.
        OpenSsl.SSL_set_shutdown(_ssl, OpenSsl.SentAndReceivedShutdown);
        return isClean;
    }

    public void Dispose()
    {
        OpenSsl.SSL_free(_ssl);
        OpenSsl.ERR_clear_error();
        _ = Libc.Close(_descriptor);
    }
}
