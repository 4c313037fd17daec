using System.Text.Json.Serialization.Metadata;
using KestrelStream.Configuration;
using Microsoft.AspNetCore.Http;

namespace KestrelStream.Admin;

/// <summary>Writes answers. Every one is of its moment: nothing may be cached.</summary>
internal static class AdminResponse
{
    public static Task WriteAsync<T>(HttpContext context, T answer, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK)
        => WriteAsync(context, answer, type, "application/json; charset=utf-8", status);

    public static Task WriteProblemAsync(HttpContext context, int status, string title, string detail, IReadOnlyList<ConfigError>? errors = null)
        => WriteAsync(context, new ApiProblem(title, status, detail, errors), AdminJson.Default.ApiProblem, "application/problem+json", status);

    public static void DoNotCache(HttpContext context) => context.Response.Headers.CacheControl = "no-store";

    private static Task WriteAsync<T>(HttpContext context, T answer, JsonTypeInfo<T> type, string contentType, int status)
    {
        DoNotCache(context);
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(answer, type, contentType, context.RequestAborted);
    }
}
