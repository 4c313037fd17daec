using System.Buffers;
using System.Text.Json;
using KestrelStream.Configuration;
using Microsoft.AspNetCore.Http;

namespace KestrelStream.Admin;

/// <summary>The JSON object that a change came with, read as strictly as the configuration: every mistake is found, not only the first. Of one request.</summary>
internal sealed class ChangeBody
{
    /// <summary>Far more than any change needs.</summary>
    public const int MaxBytes = 16 * 1024;

    private readonly Dictionary<string, JsonElement> _values;
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);

    private ChangeBody(Dictionary<string, JsonElement> values) => _values = values;

    /// <summary>Mistakes so far.</summary>
    public List<ConfigError> Errors { get; } = [];

    /// <summary>Whether a form on some web page, which needs no leave to send, could have sent it. Such a page cannot send JSON.</summary>
    public static bool IsJson(HttpRequest request) => request.HasJsonContentType();

    /// <summary>Null = it is none, and the answer says why.</summary>
    public static async Task<ChangeBody?> ReadAsync(HttpContext context)
    {
        if (!IsJson(context.Request))
        {
            await AdminResponse.WriteProblemAsync(
                context, StatusCodes.Status415UnsupportedMediaType, "Not JSON", "Changes are JSON objects: Content-Type: application/json.");
            return null;
        }

        var bytes = await ReadBytesAsync(context);
        if (bytes is null)
        {
            await WriteTooLargeAsync(context);
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(bytes.Value, new JsonDocumentOptions { MaxDepth = 4, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return new ChangeBody(document.RootElement.EnumerateObject().ToDictionary(property => property.Name, property => property.Value.Clone(), StringComparer.Ordinal));
            }
        }
        catch (JsonException)
        {
            // Told below: the reader's own words would repeat what came.
        }

        await AdminResponse.WriteProblemAsync(
            context, StatusCodes.Status400BadRequest, "Not JSON", "The body is not a JSON object, or has a key twice.");
        return null;
    }

    public static Task WriteTooLargeAsync(HttpContext context)
        => AdminResponse.WriteProblemAsync(context, StatusCodes.Status413PayloadTooLarge, "Too large", $"A change has at most {MaxBytes} bytes.");

    public string? Text(string key)
    {
        if (Find(key) is not { } value)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.String ? value.GetString() : Refuse<string>(key, "text");
    }

    public int? Number(string key)
    {
        if (Find(key) is not { } value)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number))
        {
            return number;
        }

        Refuse<string>(key, "a whole number");
        return null;
    }

    public bool? Flag(string key)
    {
        if (Find(key) is not { } value)
        {
            return null;
        }

        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return value.GetBoolean();
        }

        Refuse<string>(key, "true, false");
        return null;
    }

    public T? Choice<T>(string key)
        where T : struct, Enum
    {
        if (Find(key) is not { } value)
        {
            return null;
        }

        var names = Enum.GetNames<T>();
        var index = value.ValueKind == JsonValueKind.String
            ? Array.FindIndex(names, name => name.Equals(value.GetString(), StringComparison.OrdinalIgnoreCase))
            : -1;
        if (index >= 0)
        {
            return Enum.GetValues<T>()[index];
        }

        Refuse<string>(key, string.Join(", ", names.Select(name => name.ToLowerInvariant())));
        return null;
    }

    /// <summary>After all keys that there are were asked for: whatever else came is a mistake.</summary>
    public void RefuseOthers()
    {
        foreach (var key in _values.Keys.Where(key => !_asked.Contains(key)))
        {
            var meant = Spelling.Nearest(key, _asked) is { } nearest ? $"did you mean {ErrorText.Quote(nearest)}? " : "";
            Errors.Add(new ConfigError(Shown(key), $"unknown key; {meant}valid: {string.Join(", ", _asked)}"));
        }
    }

    /// <summary>As in the configuration, null is the same as leaving the key out.</summary>
    private JsonElement? Find(string key)
    {
        _asked.Add(key);
        return _values.TryGetValue(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    private T? Refuse<T>(string key, string valid)
        where T : class
    {
        Errors.Add(new ConfigError(key, $"{ErrorText.Quote(_values[key].GetRawText())} is not valid; valid: {valid}"));
        return null;
    }

    private static string Shown(string key) => ErrorText.Quote(key)[1..^1];

    /// <summary>Null = too many.</summary>
    private static async Task<ReadOnlyMemory<byte>?> ReadBytesAsync(HttpContext context)
    {
        if (context.Request.ContentLength > MaxBytes)
        {
            return null;
        }

        var bytes = new ArrayBufferWriter<byte>();
        try
        {
            while (bytes.WrittenCount <= MaxBytes)
            {
                var count = await context.Request.Body.ReadAsync(bytes.GetMemory(4096), context.RequestAborted);
                if (count == 0)
                {
                    return bytes.WrittenMemory;
                }

                bytes.Advance(count);
            }
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            // The app's own limit is lower.
        }

        return null;
    }
}
