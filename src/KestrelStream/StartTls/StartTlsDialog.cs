using KestrelStream.Configuration;
using KestrelStream.Dialing;
using KestrelStream.Preread.Detection;
using KestrelStream.Sessions;
using KestrelStream.StartTls.MySql;
using KestrelStream.Tls;

namespace KestrelStream.StartTls;

/// <summary>What is said in one protocol before its TLS, to the client and to the destination. One for each protocol, used by all sessions and without state, unless it makes one for each.</summary>
internal abstract class StartTlsDialog
{
    private static readonly PostgreSqlDialog s_postgreSql = new();
    private static readonly LdapDialog s_ldap = new();
    private static readonly SmtpDialog s_smtp = new();
    private static readonly ImapDialog s_imap = new();
    private static readonly Pop3Dialog s_pop3 = new();
    private static readonly MySqlDialog s_mySql = new();

    /// <summary>The protocol, as logs show it.</summary>
    public abstract string Name { get; }

    /// <summary>Whether the client waits for a greeting; else it is known by its first bytes.</summary>
    public virtual bool ServerSpeaksFirst => false;

    /// <summary>Whether a destination's TLS, too, begins only when it is asked for: by <see cref="LogInAsync"/>.</summary>
    public virtual bool DefersUpstreamTls => false;

    public static StartTlsDialog Of(StartTlsProtocol protocol) => protocol switch
    {
        StartTlsProtocol.PostgreSql => s_postgreSql,
        StartTlsProtocol.Ldap => s_ldap,
        StartTlsProtocol.Smtp => s_smtp,
        StartTlsProtocol.Imap => s_imap,
        StartTlsProtocol.Pop3 => s_pop3,
        StartTlsProtocol.MySql => s_mySql,
        _ => throw new ArgumentOutOfRangeException(nameof(protocol)),
    };

    /// <summary>Whether clients and servers of this protocol close without TLS's close_notify.</summary>
    public virtual bool EndsWithoutNotify => false;

    /// <summary>What a client that was greeted has said when it goes on in the clear.</summary>
    public virtual ReadOnlyMemory<byte> ClearAnswer => default;

    /// <summary>What a session keeps.</summary>
    public virtual StartTlsDialog ForSession() => this;

    /// <summary>Whether the destination's greeting is passed on, so that it has to be dialled before anything is known of the client.</summary>
    public virtual bool TakesGreeting(ListenerConfig listener) => false;

    /// <summary>Ends a session of a client that none of the routes takes, before it is greeted.</summary>
    public virtual ValueTask RefuseAsync(StreamSession session) => Refusal.RefuseAsync(session, SessionEndReason.NoRoute, TlsAlert.None);

    /// <summary>What a destination that has just been connected says first; empty = nothing, or that it is not ready. The dial clock runs.</summary>
    public virtual ValueTask<ReadOnlyMemory<byte>> ReadGreetingAsync(StreamSession session) => ValueTask.FromResult<ReadOnlyMemory<byte>>(default);

    /// <summary>Whether a client's first bytes, which are not TLS, ask for TLS in this protocol.</summary>
    public virtual ProtocolVerdict Judge(ReadOnlySpan<byte> bytes) => ProtocolVerdict.No;

    /// <summary>Talks with the client until it begins its handshake. The preread clock runs.</summary>
    /// <param name="session">Its preread bytes are what <see cref="Judge"/> said yes to; none where the server speaks first.</param>
    /// <param name="greeting">What the destination has greeted with, to be passed on; empty = the proxy greets.</param>
    public abstract ValueTask<StartTlsStatus> AskAsync(StreamSession session, ReadOnlyMemory<byte> greeting);

    /// <summary>Brings a destination that has just been connected to the point where the client's bytes can follow. The dial clock runs. False = it will not.</summary>
    public abstract ValueTask<bool> BeginUpstreamAsync(StreamSession session);

    /// <summary>The same of a destination whose greeting the client has got, once the client speaks TLS. False = it will not, or the client is gone.</summary>
    public virtual ValueTask<bool> LogInAsync(StreamSession session, UpstreamDialer dialer) => ValueTask.FromResult(true);

    /// <summary>The PROXY header, where one goes before the destination's first word. False = the destination is gone.</summary>
    protected static async ValueTask<bool> SendHeaderAsync(StreamSession session)
    {
        var header = session.UpstreamHeader;
        session.UpstreamHeader = default;
        return header.IsEmpty || (await session.Upstream!.SendAsync(header)).IsOk;
    }

    /// <summary>A wait for the client's first bytes has begun before it was greeted: it ends before others receive.</summary>
    protected static async ValueTask EndWaitAsync(StreamSession session)
    {
        if (session.PendingWait is { } pending)
        {
            session.PendingWait = null;
            await pending;
            await session.Environment.ResumeAsync();
        }
    }
}
