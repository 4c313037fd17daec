using KestrelStream.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Admin.Explaining;

/// <summary><c>/api/explain?listener=&amp;sni=&amp;alpn=&amp;client=</c> or <c>?listener=&amp;hello=&amp;client=</c>, with the client's first bytes in hex.</summary>
internal static class ExplainEndpoint
{
    private static readonly string[] s_keys = ["listener", "sni", "alpn", "client", "hello"];

    public static Task GetAsync(HttpContext context)
    {
        var query = context.Request.Query;
        if (query.Keys.FirstOrDefault(key => !s_keys.Contains(key, StringComparer.OrdinalIgnoreCase)) is not null)
        {
            return WriteBadQueryAsync(context, $"There is an unknown key; valid: {string.Join(", ", s_keys)}.");
        }

        byte[]? hello = null;
        if (query["hello"] is [{ Length: > 0 } text] && (hello = ExplainQuestion.ReadHex(text)) is null)
        {
            return WriteBadQueryAsync(context, "hello is not bytes in hex.");
        }

        if (ExplainQuestion.Read(query["listener"], query["sni"], query["alpn"], query["client"], hello, out var error) is not { } question)
        {
            return WriteBadQueryAsync(context, error!);
        }

        return context.RequestServices.GetRequiredService<IProxyState>().Current is { } snapshot && Explainer.Explain(snapshot, question) is { } explanation
            ? AdminResponse.WriteAsync(context, explanation, AdminJson.Default.ApiExplanation)
            : AdminResponse.WriteProblemAsync(context, StatusCodes.Status404NotFound, "Unknown listener", "There is no listener of that id; /api/listeners has them all.");
    }

    private static Task WriteBadQueryAsync(HttpContext context, string detail)
        => AdminResponse.WriteProblemAsync(context, StatusCodes.Status400BadRequest, "Bad query", detail);
}
