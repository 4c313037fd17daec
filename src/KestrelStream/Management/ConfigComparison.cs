using System.Security.Cryptography;
using System.Text.Json;
using KestrelStream.Admin;
using KestrelStream.Configuration;

namespace KestrelStream.Management;

/// <summary>Finds where two configurations differ, key by key, and what operators have said beside them. Secrets show as <c>***</c>.</summary>
internal static class ConfigComparison
{
    /// <param name="running">With what operators have changed.</param>
    /// <param name="file">The source.</param>
    /// <param name="section">With which paths start.</param>
    /// <param name="overrides">What operators have changed.</param>
    public static List<ConfigDifference> Compare(StreamProxyConfig running, StreamProxyConfig file, string section, DestinationOverrides overrides)
    {
        var differences = new List<ConfigDifference>();
        using (var here = JsonSerializer.SerializeToDocument(running, ConfigRedaction.KeysAsWritten))
        using (var there = JsonSerializer.SerializeToDocument(file, ConfigRedaction.KeysAsWritten))
        {
            Compare(section, here.RootElement, there.RootElement, differences);
        }

        foreach (var (cluster, destination, change) in overrides.All)
        {
            // No keys of the file: it has nothing to say about them.
            var path = $"{section}:Clusters:{cluster}:Destinations:{destination}";
            Add($"{path}:State", change.Control.State);
            Add($"{path}:Health", change.Control.Health);
        }

        differences.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
        return differences;

        void Add<T>(string path, T value)
            where T : struct, Enum
        {
            if (!EqualityComparer<T>.Default.Equals(value, default))
            {
                differences.Add(new ConfigDifference(path, Text(value.ToString().ToLowerInvariant()), Text(default(T).ToString().ToLowerInvariant())));
            }
        }
    }

    /// <summary>Whether they say the same, whatever objects they are.</summary>
    public static bool AreSame(StreamProxyConfig one, StreamProxyConfig other)
        => ReferenceEquals(one, other) || Fingerprint(one).AsSpan().SequenceEqual(Fingerprint(other));

    /// <summary>Maps are written in the order of their keys: another order means a false "no", which costs nobody anything.</summary>
    private static byte[] Fingerprint(StreamProxyConfig config)
    {
        using var hash = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write))
        {
            JsonSerializer.Serialize(stream, config, ConfigRedaction.KeysAsWritten);
        }

        return hash.Hash!;
    }

    private static void Compare(string path, JsonElement? running, JsonElement? file, List<ConfigDifference> differences)
    {
        if (running is { ValueKind: JsonValueKind.Object } here && file is { ValueKind: JsonValueKind.Object } there)
        {
            // Ids ignore case.
            var left = new Dictionary<string, JsonElement>(StringComparer.OrdinalIgnoreCase);
            foreach (var property in there.EnumerateObject())
            {
                left[property.Name] = property.Value;
            }

            foreach (var property in here.EnumerateObject())
            {
                Compare($"{path}:{property.Name}", property.Value, left.Remove(property.Name, out var value) ? value : null, differences);
            }

            foreach (var (name, value) in left)
            {
                Compare($"{path}:{name}", null, value, differences);
            }
        }
        else if (running is not { } one || file is not { } other || !JsonElement.DeepEquals(one, other))
        {
            differences.Add(new ConfigDifference(path, Show(path, running), Show(path, file)));
        }
    }

    /// <summary>A copy, without secrets, that outlives its document.</summary>
    private static JsonElement? Show(string path, JsonElement? value)
        => value is not { } element ? null : ConfigRedaction.Redact(path[(path.LastIndexOf(':') + 1)..], element);

    private static JsonElement Text(string value) => JsonSerializer.SerializeToElement(value, AdminJson.Default.String);
}
