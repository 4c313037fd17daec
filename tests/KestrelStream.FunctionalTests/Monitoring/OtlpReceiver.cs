using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KestrelStream.FunctionalTests.Monitoring;

/// <summary>Takes what is sent by OTLP over HTTP, as bytes: texts stand in protobuf messages as they are. Stopped on dispose.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<(string Path, byte[] Body)> _received = new();

    private OtlpReceiver()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapPost("/v1/{signal}", async context =>
        {
            var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            _received.Enqueue((context.Request.Path, body.ToArray()));
            context.Response.ContentType = "application/x-protobuf";
        });
    }

    public string Address => _app.Urls.Single();

    public static async Task<OtlpReceiver> StartAsync()
    {
        var receiver = new OtlpReceiver();
        await receiver._app.StartAsync();
        return receiver;
    }

    public bool Has(string path, string text)
        => _received.Any(message => message.Path == path && message.Body.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0);

    public int CountOf(string path) => _received.Count(message => message.Path == path);

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
