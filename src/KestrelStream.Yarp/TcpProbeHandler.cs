using System.Net;
using System.Net.Sockets;

namespace KestrelStream.Yarp;

/// <summary>Answers a check of YARP's with what connecting to its address says. YARP's timeout ends it. Thread-safe.</summary>
internal sealed class TcpProbeHandler : HttpMessageHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var address = request.RequestUri!;
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(address.IdnHost, address.Port, cancellationToken);
        }
        catch (SocketException e)
        {
            throw new HttpRequestException($"{address.Authority}: {e.Message}", e);
        }

        return new HttpResponseMessage(HttpStatusCode.OK) { RequestMessage = request };
    }
}
