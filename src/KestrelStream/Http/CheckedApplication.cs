using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace KestrelStream.Http;

/// <summary>
/// The app's pipeline behind one rule: a request that came over TLS must be for a host that this connection is for, else it is answered with 421 Misdirected
/// Request (RFC 9110 §15.5.20) and the app never sees it. Client and certificate were checked by the policy of the route that the TLS server name has
/// chosen; the Host of a request must not lead around that. Thread-safe.
/// </summary>
/// <remarks>
/// For this connection is a host that equals the server name, or for which a client that asked for it, and offered the protocol that was agreed on, would have
/// been given the same route: what browsers do that use one HTTP/2 connection for all names of a certificate. An IP address counts as no name.
/// </remarks>
internal sealed class CheckedApplication<TContext>(IHttpApplication<TContext> application) : IHttpApplication<CheckedApplication<TContext>.Request>
    where TContext : notnull
{
    public Request CreateContext(IFeatureCollection contextFeatures)
        => MisdirectedRequests.IsMisdirected(contextFeatures)
            ? new Request(default, contextFeatures.GetRequiredFeature<IHttpResponseFeature>())
            : new Request(application.CreateContext(contextFeatures), null);

    public Task ProcessRequestAsync(Request context)
    {
        if (context.Refused is { } response)
        {
            response.StatusCode = StatusCodes.Status421MisdirectedRequest;
            response.Headers.ContentLength = 0;
            return Task.CompletedTask;
        }

        return application.ProcessRequestAsync(context.Inner!);
    }

    public void DisposeContext(Request context, Exception? exception)
    {
        if (context.Refused is null)
        {
            application.DisposeContext(context.Inner!, exception);
        }
    }

    /// <param name="Inner">The app's, when the request may go there.</param>
    /// <param name="Refused">Where the refusal goes; null = it may.</param>
    internal readonly record struct Request(TContext? Inner, IHttpResponseFeature? Refused);
}
