using System.Text.Json;
using KestrelStream.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KestrelStream.Admin.Live;

/// <summary>
/// What the dashboard lives on: <c>/api/live</c>, a stream of server-sent events (<c>model</c>: what there is; <c>frame</c>: its numbers, once a second
/// those that have changed), and <c>/api/history</c>. Their shape belongs to the page and changes with it.
/// </summary>
internal static class LiveEndpoints
{
    /// <summary>How long a page waits before it comes again.</summary>
    private static readonly byte[] s_retry = "retry: 2000\n\n"u8.ToArray();

    public static async Task GetLiveAsync(HttpContext context)
    {
        var lifetime = context.RequestServices.GetService<IHostApplicationLifetime>();
        var feed = context.RequestServices.GetRequiredService<LiveFeed>();
        if (lifetime?.ApplicationStopping.IsCancellationRequested == true)
        {
            // A stream would keep the server from stopping. Who looks may still ask now and then.
            await AdminResponse.WriteProblemAsync(context, StatusCodes.Status503ServiceUnavailable, "Stopping", "No streams while the server stops; /api/live/now still answers.");
        }
        else if (!feed.TryEnter())
        {
            context.Response.Headers.RetryAfter = "10";
            await AdminResponse.WriteProblemAsync(
                context, StatusCodes.Status503ServiceUnavailable, "Too many", $"{LiveFeed.MaxWatchers} pages look already; /api/live/now still answers.");
        }
        else
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime?.ApplicationStopping ?? default);
            try
            {
                await StreamAsync(context, feed, stop.Token);
            }
            catch (OperationCanceledException)
            {
                // The page is gone, or the server is going.
            }
            finally
            {
                feed.Leave();
            }
        }
    }

    /// <summary>One object with <c>model</c> and <c>frame</c>.</summary>
    public static Task GetNowAsync(HttpContext context)
    {
        var frame = context.RequestServices.GetRequiredService<LiveFeed>().Now();
        return WriteJsonAsync(context, json =>
        {
            json.WriteStartObject();
            json.WritePropertyName("model");
            json.WriteRawValue(frame.WriteModel().Span, skipInputValidation: true);
            json.WritePropertyName("frame");
            json.WriteRawValue(frame.Everything.Span, skipInputValidation: true);
            json.WriteEndObject();
        });
    }

    public static Task GetHistoryAsync(HttpContext context)
    {
        string? cluster = context.Request.Query["cluster"];
        if (cluster is not null && context.RequestServices.GetRequiredService<IProxyState>().Current?.Clusters.ContainsKey(cluster) != true)
        {
            return AdminResponse.WriteProblemAsync(context, StatusCodes.Status404NotFound, "Unknown cluster", "There is no cluster of that id; /api/clusters has them all.");
        }

        var history = context.RequestServices.GetRequiredService<TrafficHistory>();
        return WriteJsonAsync(context, json => history.WriteTo(json, cluster, context.Request.Query["member"]));
    }

    private static async Task WriteJsonAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        AdminResponse.DoNotCache(context);
        context.Response.ContentType = "application/json; charset=utf-8";
        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter))
        {
            write(json);
        }

        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private static async Task StreamAsync(HttpContext context, LiveFeed feed, CancellationToken stop)
    {
        AdminResponse.DoNotCache(context);
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await context.Response.Body.WriteAsync(s_retry, stop);
        for (var (number, model) = (0L, 0L); ;)
        {
            var frame = await feed.NextAsync(number).WaitAsync(stop);
            if (frame.Model != model)
            {
                await WriteEventAsync(context.Response, "event: model\ndata: "u8.ToArray(), frame.WriteModel(), stop);
            }

            await WriteEventAsync(context.Response, "event: frame\ndata: "u8.ToArray(), frame.Model == model && frame.Previous == number ? frame.Changes : frame.Everything, stop);
            await context.Response.Body.FlushAsync(stop);
            (number, model) = (frame.Number, frame.Model);
        }
    }

    private static async Task WriteEventAsync(HttpResponse response, ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> data, CancellationToken stop)
    {
        await response.Body.WriteAsync(head, stop);
        await response.Body.WriteAsync(data, stop);
        await response.Body.WriteAsync("\n\n"u8.ToArray(), stop);
    }
}
