using System.Text.RegularExpressions;

namespace KestrelStream.Load.Proxies;

/// <summary>Fills <c>@WORD@</c> in a config template.</summary>
internal static partial class ConfigTemplate
{
    public static string Fill(string path, IReadOnlyDictionary<string, string> words)
        => Word().Replace(File.ReadAllText(path), match => words.TryGetValue(match.Groups[1].Value, out string? value)
            ? value
            : throw new BenchmarkException($"{path}: nothing to put in for {match.Value}"));

    [GeneratedRegex("@([A-Z_]+)@")]
    private static partial Regex Word();
}
