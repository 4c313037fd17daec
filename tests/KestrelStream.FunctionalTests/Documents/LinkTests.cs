using System.Text.RegularExpressions;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Documents;

/// <summary>Links between the files of the repository lead somewhere.</summary>
public sealed partial class LinkTests
{
    [Fact]
    public void Links_OfAllDocuments_LeadToFilesAndHeadings()
    {
        var broken = new List<string>();
        foreach (var file in Documents())
        {
            foreach (var target in Link().Matches(File.ReadAllText(file)).Select(match => match.Groups["target"].Value))
            {
                if (!target.Contains("://", StringComparison.Ordinal) && !Leads(file, target))
                {
                    broken.Add($"{Path.GetRelativePath(RepositoryFolder.Root, file)}: {target}");
                }
            }
        }

        Assert.Empty(broken);
    }

    private static IEnumerable<string> Documents()
        => new[] { "docs", "samples", "deploy", "benchmarks" }
            .Select(folder => RepositoryFolder.Combine(folder))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.md", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(RepositoryFolder.Root, "*.md"));

    private static bool Leads(string file, string target)
    {
        var parts = target.Split('#', 2);
        var path = parts[0].Length == 0 ? file : Path.GetFullPath(parts[0], Path.GetDirectoryName(file)!);
        return parts.Length == 1
            ? File.Exists(path) || Directory.Exists(path)
            : File.Exists(path) && Heading().Matches(File.ReadAllText(path)).Any(match => Anchor(match.Groups["text"].Value) == parts[1]);
    }

    /// <summary>As web front ends of git make them: lower case, spaces to hyphens, other punctuation dropped.</summary>
    private static string Anchor(string heading)
        => string.Concat(heading.Trim().ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')).Replace(' ', '-');

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
