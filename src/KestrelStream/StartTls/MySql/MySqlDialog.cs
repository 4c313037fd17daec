using KestrelStream.Configuration;
using KestrelStream.Dialing;
using KestrelStream.Model;
using KestrelStream.Sessions;

namespace KestrelStream.StartTls.MySql;

/// <summary>
/// MySQL and MariaDB: the destination's greeting goes to the client with TLS switched on in it; behind TLS comes the login, whose packets have other numbers where
/// the destination has seen no request for TLS. One for all sessions makes one for each.
/// </summary>
internal sealed class MySqlDialog : StartTlsDialog
{
    private const ushort HostNotPrivileged = 1130;
    private const ushort SecureTransportRequired = 3159;

    private ClusterModel? _cluster;
    private MySqlGreeting? _greeting;
    private ReadOnlyMemory<byte> _answer;

    public override string Name => "mysql";

    public override bool ServerSpeaksFirst => true;

    public override bool DefersUpstreamTls => true;

    public override ReadOnlyMemory<byte> ClearAnswer => _answer;

    /// <summary>All of them do. A packet has its length, and a result its end: what is cut is seen to be.</summary>
    public override bool EndsWithoutNotify => true;

    public override StartTlsDialog ForSession() => new MySqlDialog();

    public override bool TakesGreeting(ListenerConfig listener) => true;

    public override async ValueTask<ReadOnlyMemory<byte>> ReadGreetingAsync(StreamSession session)
    {
        _cluster = session.Route!.Cluster!.Model;
        if (!await SendHeaderAsync(session))
        {
            return default;
        }

        using var packets = new MySqlPacketReader(session.Upstream!, MySqlPacket.MaxGreetingBytes);
        var packet = await packets.ReadAsync();
        if (packet.Length <= MySqlPacket.HeaderBytes || MySqlPacket.NumberOf(packet.Span) != 0 || !packets.Rest.IsEmpty)
        {
            return default;
        }

        if (packet.Span[MySqlPacket.HeaderBytes] == MySqlPacket.Error)
        {
            // Too many connections, host blocked: the client is to know.
            session.TryEnd(SessionEndReason.ConnectRefused);
            await Refusal.SendLastAsync(session, packet);
            return default;
        }

        if (!MySqlGreeting.TryParse(packet.Span, out _greeting))
        {
            return default;
        }

        if (_cluster.Tls is not null && !_greeting!.HasTls)
        {
            session.TryEnd(SessionEndReason.UpstreamTlsFailed);
            return default;
        }

        return _greeting!.Packet;
    }

    public override async ValueTask RefuseAsync(StreamSession session)
    {
        session.TryEnd(SessionEndReason.NoRoute);
        await Refusal.SendLastAsync(session, MySqlPacket.CreateError(0, HostNotPrivileged, "", "This host is not allowed to connect to this MySQL server"));
    }

    public override async ValueTask<StartTlsStatus> AskAsync(StreamSession session, ReadOnlyMemory<byte> greeting)
    {
        var client = session.Transport;
        if (!client.TakeUnconsumed().IsEmpty)
        {
            // Before it was greeted.
            return StartTlsStatus.Violation;
        }

        if (!(await client.SendAsync(greeting)).IsOk)
        {
            return StartTlsStatus.Gone;
        }

        await EndWaitAsync(session);

        // No byte more than that: the ClientHello follows without an answer.
        var request = new byte[MySqlRequest.Bytes];
        var count = 0;
        StartTlsStatus? status;
        while ((status = MySqlRequest.Judge(request.AsSpan(0, count))) is null)
        {
            if (await client.ReceiveAsync(request.AsMemory(count)) is not { IsOk: true, Count: > 0 and var received })
            {
                return StartTlsStatus.Gone;
            }

            count += received;
        }

        if (status != StartTlsStatus.Clear)
        {
            return status.Value;
        }

        if (MayStayClear(session))
        {
            _answer = request.AsMemory(0, count);
            return StartTlsStatus.Clear;
        }

        session.TryEnd(SessionEndReason.NoRoute);
        await Refusal.SendLastAsync(
            session, MySqlPacket.CreateError(MySqlRequest.Number + 1, SecureTransportRequired, "HY000", "Connections using insecure transport are prohibited: this server takes clients with TLS only."));
        return StartTlsStatus.Quit;
    }

    /// <summary>It has been greeted by then.</summary>
    public override ValueTask<bool> BeginUpstreamAsync(StreamSession session) => ValueTask.FromResult(false);

    public override async ValueTask<bool> LogInAsync(StreamSession session, UpstreamDialer dialer)
    {
        var (cluster, greeting) = (_cluster!, _greeting!);

        // The session keeps this as long as it runs.
        (_cluster, _greeting) = (null, null);
        using var login = new MySqlAuthentication(session, greeting);
        return await (cluster.Tls is null ? login.ConvertAsync() : login.PassOnAsync(dialer, cluster));
    }

    /// <summary>The greeting that leads to it is the same, so its cluster must be; one that gets TLS gets no clear logins.</summary>
    private bool MayStayClear(StreamSession session)
        => _cluster!.Tls is null && session.ListenerModel.Routes.ForSilence(session.ClientEndPoint) is { } clear && clear.Cluster == session.Route!.Cluster;
}
