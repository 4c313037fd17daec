using Yarp.ReverseProxy.Forwarder;

namespace KestrelStream.Yarp;

/// <summary>YARP's own, with active checks of <c>tcp://</c> destinations, which its HTTP client knows nothing of: a connection that is made is a 200. Thread-safe.</summary>
internal sealed class TcpProbeClientFactory(IForwarderHttpClientFactory own) : IForwarderHttpClientFactory
{
    public HttpMessageInvoker CreateClient(ForwarderHttpClientContext context)
    {
        var client = own.CreateClient(context);

        // The one before, when nothing has changed.
        return client is TcpProbeInvoker ? client : new TcpProbeInvoker(client);
    }

    private sealed class TcpProbeInvoker(HttpMessageInvoker own) : HttpMessageInvoker(new TcpProbeHandler(), disposeHandler: true)
    {
        public override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            => request.RequestUri?.Scheme == "tcp" ? base.SendAsync(request, cancellationToken) : own.SendAsync(request, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                own.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
