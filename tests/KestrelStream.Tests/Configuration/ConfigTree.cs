using System.Text;
using KestrelStream.Configuration.Sources;
using Microsoft.Extensions.Configuration;

namespace KestrelStream.Tests.Configuration;

/// <summary>The ways to a tree, and the tree as text.</summary>
internal static class ConfigTree
{
    public static ConfigNode FromJson(string json, int bufferSize = 16 * 1024) => FromJson(Encoding.UTF8.GetBytes(json), bufferSize);

    public static ConfigNode FromJson(byte[] json, int bufferSize = 16 * 1024) => JsonTreeReader.Read(new MemoryStream(json), bufferSize);

    /// <summary>As .NET's own provider reads it.</summary>
    public static ConfigNode FromConfiguration(byte[] json, params KeyValuePair<string, string?>[] over)
        => SectionConfigNode.OfRoot(new ConfigurationBuilder().AddJsonStream(new MemoryStream(json)).AddInMemoryCollection(over).Build());

    /// <summary>A line a key: depth, key, value.</summary>
    public static string Dump(ConfigNode node)
    {
        var text = new StringBuilder();
        Append(text, node, 0);
        return text.ToString();
    }

    private static void Append(StringBuilder text, ConfigNode node, int depth)
    {
        text.Append(' ', depth).Append('[').Append(node.Key).Append("] = ").Append(node.Value is null ? "null" : $"\"{node.Value}\"").Append('\n');
        foreach (var child in node.Children)
        {
            Append(text, child, depth + 1);
        }
    }
}
