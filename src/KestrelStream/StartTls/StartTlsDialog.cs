using KestrelStream.Configuration;
using KestrelStream.Preread.Detection;
using KestrelStream.Sessions;

namespace KestrelStream.StartTls;

/// <summary>What is said in one protocol before its TLS, to the client and to the destination. One for each protocol, without state; used by all sessions.</summary>
internal abstract class StartTlsDialog
{
    private static readonly PostgreSqlDialog s_postgreSql = new();
    private static readonly LdapDialog s_ldap = new();
    private static readonly SmtpDialog s_smtp = new();
    private static readonly ImapDialog s_imap = new();
    private static readonly Pop3Dialog s_pop3 = new();

    /// <summary>The protocol, as logs show it.</summary>
    public abstract string Name { get; }

    /// <summary>Whether the client waits for a greeting; else it is known by its first bytes.</summary>
    public virtual bool ServerSpeaksFirst => false;

    public static StartTlsDialog Of(StartTlsProtocol protocol) => protocol switch
    {
        StartTlsProtocol.PostgreSql => s_postgreSql,
        StartTlsProtocol.Ldap => s_ldap,
        StartTlsProtocol.Smtp => s_smtp,
        StartTlsProtocol.Imap => s_imap,
        StartTlsProtocol.Pop3 => s_pop3,
        _ => throw new ArgumentOutOfRangeException(nameof(protocol)),
    };

    /// <summary>Whether a client's first bytes, which are not TLS, ask for TLS in this protocol.</summary>
    public virtual ProtocolVerdict Judge(ReadOnlySpan<byte> bytes) => ProtocolVerdict.No;

    /// <summary>Talks with the client until it begins its handshake. The preread clock runs.</summary>
    /// <param name="session">Its preread bytes are what <see cref="Judge"/> said yes to; none where the server speaks first.</param>
    /// <param name="greeting">What the destination has greeted with, to be passed on; empty = the proxy greets.</param>
    public abstract ValueTask<StartTlsStatus> AskAsync(StreamSession session, ReadOnlyMemory<byte> greeting);

    /// <summary>Brings a destination that has just been connected to the point where the client's bytes can follow. The dial clock runs. False = it will not.</summary>
    public abstract ValueTask<bool> BeginUpstreamAsync(StreamSession session);
}
