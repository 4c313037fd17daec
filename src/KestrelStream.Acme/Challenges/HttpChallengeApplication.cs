using System.Text;
using KestrelStream.Configuration;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace KestrelStream.Acme.Challenges;

/// <summary>What the server on port 80 says: the answer to a pending challenge; to everything else a redirect to https, or 404. Thread-safe.</summary>
internal sealed class HttpChallengeApplication(HttpResponder responder, HttpChallengeConfig config) : IHttpApplication<IFeatureCollection>
{
    private const string Prefix = "/.well-known/acme-challenge/";

    private const int MaxHostChars = 253;

    public IFeatureCollection CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

    public async Task ProcessRequestAsync(IFeatureCollection context)
    {
        var request = context.GetRequiredFeature<IHttpRequestFeature>();
        var response = context.GetRequiredFeature<IHttpResponseFeature>();
        if (request.Path.StartsWith(Prefix, StringComparison.Ordinal) && request.Method is "GET" or "HEAD" && responder.Find(request.Path[Prefix.Length..]) is { } answer)
        {
            response.StatusCode = 200;
            response.Headers.ContentType = "application/octet-stream";
            response.Headers.ContentLength = answer.Length;
            if (request.Method == "GET")
            {
                await context.GetRequiredFeature<IHttpResponseBodyFeature>().Stream.WriteAsync(Encoding.ASCII.GetBytes(answer));
            }
        }
        else if (config.RedirectToHttps && HostOf(request) is { } host)
        {
            response.StatusCode = 308;
            response.Headers.Location = $"https://{host}{(request.RawTarget.StartsWith('/') ? request.RawTarget : "/")}";
            response.Headers.ContentLength = 0;
        }
        else
        {
            response.StatusCode = 404;
            response.Headers.ContentLength = 0;
        }
    }

    public void DisposeContext(IFeatureCollection context, Exception? exception)
    {
    }

    /// <summary>Without its port; null = none that could stand in a URL. Kestrel has checked its characters.</summary>
    private static string? HostOf(IHttpRequestFeature request)
    {
        var host = request.Headers.Host.ToString();
        var end = host.LastIndexOf(':');
        var name = end > host.LastIndexOf(']') ? host[..end] : host;
        return name.Length is > 0 and <= MaxHostChars ? name : null;
    }
}
