using System.Net;
using System.Runtime.CompilerServices;
using KestrelStream.Model;
using KestrelStream.ProxyProtocol;
using KestrelStream.Sessions;
using KestrelStream.Tls.Upstream;
using KestrelStream.Transport;

namespace KestrelStream.Dialing;

/// <content>The handshake, where the cluster has TLS: a part of the dial.</content>
internal sealed partial class UpstreamDialer
{
    /// <summary>Shakes hands once destination and client have said in clear what goes before it, with the model that it was dialled by. On failure the session has its end reason.</summary>
    public async ValueTask<bool> SecureLaterAsync(StreamSession session, ClusterModel model)
    {
        var destination = session.Destination!;
        var endPoint = session.Upstream!.RemoteEndPoint!;
        session.Enter(SessionPhase.Dial, model.Tls!.Config.HandshakeTimeout);
        var (status, problem) = await ShakeHandsAsync(session, destination, endPoint, model.Tls);
        if (status == ConnectStatus.Connected)
        {
            return true;
        }

        (session.Attempts ??= []).Add(new DialAttempt(destination.Id, endPoint, status, session.UpstreamTlsTime) { Detail = problem });
        session.TryEnd(SessionEndReason.UpstreamTlsFailed);
        return false;
    }

    /// <summary>The PROXY header goes first, in clear (it is for whoever ends TLS there); then the handshake, in what is left of the budget.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<UpstreamTlsResult> SecureAsync(StreamSession session, DestinationState destination, EndPoint endPoint, ClusterModel model, long begun)
    {
        var tls = model.Tls!;
        var left = model.Config.DialBudget - time.GetElapsedTime(begun);
        session.Enter(SessionPhase.Dial, tls.Config.HandshakeTimeout < left ? tls.Config.HandshakeTimeout : left > TimeSpan.Zero ? left : TimeSpan.Zero);
        var header = OutgoingHeader.Of(session, model.Config);
        if (!header.IsEmpty)
        {
            // If it does not arrive, the handshake finds out.
            await session.Upstream!.SendAsync(header);
        }

        return await ShakeHandsAsync(session, destination, endPoint, tls);
    }

    private ValueTask<UpstreamTlsResult> ShakeHandsAsync(StreamSession session, DestinationState destination, EndPoint endPoint, UpstreamTlsPolicy tls)
    {
        var name = UpstreamName.Of(tls.Config, destination.Config, destination.Address, destination.HostName, session.ServerName);
        return upstreamTls.ConnectAsync(session, tls, name, endPoint, destination.Id);
    }

    /// <summary>What the dial ends with; null = TLS is not spoken, or not yet.</summary>
    private static UpstreamTlsPolicy? TlsOf(StreamSession session, ClusterModel model) => session.DefersUpstreamTls ? null : model.Tls;

    /// <summary>A handshake that has failed may have left an alert to be delivered.</summary>
    private static void GiveUp(StreamSession session, ConnectStatus status)
    {
        if (status is ConnectStatus.TlsFailed or ConnectStatus.TlsCertificate)
        {
            session.Upstream!.Close();
        }
        else
        {
            session.Upstream!.Reset();
        }

        session.Upstream = null;
    }
}
