using System.Net;
using KestrelStream.Access;
using KestrelStream.Configuration;
using KestrelStream.Model;
using KestrelStream.Preread;
using KestrelStream.ProxyProtocol;
using KestrelStream.Sessions;
using KestrelStream.Transport;

namespace KestrelStream.StartTls;

/// <summary>
/// PostgreSQL's CancelRequest comes on a connection of its own, in the clear, and names a backend process by id and key. Nothing in it tells which member that is:
/// it goes to every one on which the client's address has PostgreSQL sessions here, and those that do not know the key do nothing. One for the process; thread-safe.
/// </summary>
internal sealed class PostgreSqlCancel(SessionTable sessions)
{
    /// <summary>Members that one request may reach.</summary>
    private const int MostMembers = 32;

    /// <summary><see cref="PrereadOutcome.Ended"/>: it was passed on. <see cref="PrereadOutcome.NotTls"/>: the address has no session here, and it goes where other bytes go.</summary>
    public async ValueTask<PrereadOutcome> ForwardAsync(StreamSession session)
    {
        var members = MembersOf(session);
        if (members.Count == 0)
        {
            return PrereadOutcome.NotTls;
        }

        var request = session.Preread!.Written.ToArray();
        foreach (var (endPoint, route) in members)
        {
            session.Route = route;
            await SendAsync(session, endPoint, route.Cluster!.Model.Config, request);
            if (session.HasEnded)
            {
                return PrereadOutcome.Ended;
            }
        }

        // The server's answer to the request is the end of the connection, and so is ours.
        session.TryEnd(SessionEndReason.Completed);
        return PrereadOutcome.Ended;
    }

    private Dictionary<EndPoint, RouteModel> MembersOf(StreamSession session)
    {
        // Anybody may ask, as often as he likes: no copy of all sessions.
        var state = (Members: new Dictionary<EndPoint, RouteModel>(), Client: AddressOf(session));
        sessions.Visit(state, static (other, state) =>
        {
            if (other.Phase == SessionPhase.Relay
                && other.Route is { Cluster: not null } route && IsPostgreSql(route)
                && Equals(AddressOf(other), state.Client)
                && other.Upstream?.RemoteEndPoint is { } endPoint)
            {
                state.Members.TryAdd(endPoint, route);
            }

            return state.Members.Count < MostMembers;
        });
        return state.Members;
    }

    private static async ValueTask SendAsync(StreamSession session, EndPoint endPoint, ClusterConfig config, byte[] request)
    {
        if (session.Environment.CreateUpstream(endPoint) is not { } upstream)
        {
            return;
        }

        session.Upstream = upstream;
        session.Enter(SessionPhase.Dial, config.ConnectTimeout);
        if (!session.HasEnded && await session.Environment.ConnectAsync(upstream, endPoint) == ConnectStatus.Connected)
        {
            var header = OutgoingHeader.Of(session, config);
            if ((await upstream.SendAsync(header.IsEmpty ? request : (byte[])[.. header.Span, .. request])).IsOk)
            {
                // It says nothing, and closes when the request is dealt with.
                await upstream.ReceiveAsync(new byte[1]);
            }
        }

        upstream.Close();
        session.Upstream = null;
    }

    private static bool IsPostgreSql(RouteModel route)
        => route.Config.StartTls == StartTlsProtocol.PostgreSql || route.Config.Match.Protocols.Contains(ClientProtocol.PostgreSql);

    /// <summary>Without the port; clients on a unix socket have none to tell them apart, and are one.</summary>
    private static IPAddress? AddressOf(StreamSession session)
        => session.ClientEndPoint is IPEndPoint { Address: var address } ? NetworkSyntax.Plain(address) : null;
}
