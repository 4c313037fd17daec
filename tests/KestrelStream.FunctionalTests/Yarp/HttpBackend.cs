using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KestrelStream.FunctionalTests.Yarp;

/// <summary>A web server that answers with its name, the path, and whom the request was forwarded for.</summary>
internal sealed class HttpBackend : IAsyncDisposable
{
    private readonly WebApplication _app;

    private HttpBackend(string name)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.Run(context => context.Response.WriteAsync($"{name} {context.Request.Path} {context.Request.Headers["X-Forwarded-For"]}"));
    }

    public string Url => _app.Urls.First();

    public static async Task<HttpBackend> StartAsync(string name)
    {
        var backend = new HttpBackend(name);
        await backend._app.StartAsync();
        return backend;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
