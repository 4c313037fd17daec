using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace KestrelStream.Acme.Protocol;

/// <summary>An answer that is no refusal.</summary>
/// <param name="Url">Who gave it.</param>
/// <param name="Body">Whole; its length is bounded.</param>
/// <param name="Location">Of what was made; null = it does not say.</param>
/// <param name="RetryAfter">When to look again; null = it does not say.</param>
internal sealed record AcmeResponse(Uri Url, byte[] Body, Uri? Location, TimeSpan? RetryAfter)
{
    public AcmeResult<T> Read<T>(JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(Body, type) is { } document ? document : new AcmeFailure($"{Url}: the answer is empty");
        }
        catch (JsonException)
        {
            // The reader's message would repeat what the authority has sent.
            return new AcmeFailure($"{Url}: the answer is not the JSON that is expected there");
        }
    }
}
