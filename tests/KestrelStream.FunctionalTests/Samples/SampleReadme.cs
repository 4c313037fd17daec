using System.Text.RegularExpressions;
using KestrelStream.TestKit.Peers;

namespace KestrelStream.FunctionalTests.Samples;

/// <summary>A sample's README.md as a source of commands: the text of its fenced blocks.</summary>
internal sealed partial class SampleReadme(string name)
{
    private readonly string _text = File.ReadAllText(RepositoryFolder.Combine("samples", name, "README.md"));

    /// <summary>The nginx configuration that the sample replaces.</summary>
    public string Nginx => Blocks("nginx").Single();

    /// <summary>Blocks of commands in their order: what goes before, the server, what proves it, more.</summary>
    public IReadOnlyList<string> Commands => Blocks("sh");

    private List<string> Blocks(string language)
        => [.. Fence().Matches(_text).Where(match => match.Groups["language"].Value == language).Select(match => match.Groups["text"].Value)];

    [GeneratedRegex(@"^```(?<language>\w+)\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();
}
