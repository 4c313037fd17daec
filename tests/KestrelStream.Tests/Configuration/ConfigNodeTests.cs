using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Configuration.Sources;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace KestrelStream.Tests.Configuration;

public class ConfigNodeTests
{
    private const string File = """
        { "A": { "b": "1", "list": ["x", "y", "z"], "map": { "k": { "deep": "2" } }, "none": null, "empty": [] }, "Top": "3" }
        """;

    public static TheoryData<string[]> Overlays =>
    [
        [],
        ["A:b=9"],
        ["a:B=9"],
        ["A:b="],
        ["A:new=9", "New:deep:er=8"],
        ["A:list:1=Y"],
        ["A:list:3=w", "A:list:10=last", "A:list:4="],
        ["A:list=text"],
        ["A:list:x=9"],
        ["A:map:K:Deep=9", "A:map:k:deeper=8", "A:map:j=7"],
        ["A:map=text", "A=other"],
        ["A:none=9", "A:empty:0=first", "A:empty=text"],
        ["A:none:k=9"],
        ["TOP=9", "Top:under=8"],
        [":=9", "A:=8", "A::=7"],
    ];

    [Theory]
    [MemberData(nameof(Overlays))]
    public void With_OtherKeys_GivesTheTreeOfTwoSources(string[] overlay)
    {
        var over = overlay.Select(line => line.Split('=')).Select(pair => KeyValuePair.Create(pair[0], (string?)pair[1])).ToArray();
        var environment = new ConfigurationBuilder().AddInMemoryCollection(over).Build();

        var actual = ConfigTree.FromJson(File).With(SectionConfigNode.OfRoot(environment));

        // How a key is written that both have is left to either.
        var expected = ConfigTree.FromConfiguration(Encoding.UTF8.GetBytes(File), over);
        Assert.Equal(ConfigTree.Dump(expected), ConfigTree.Dump(actual), ignoreCase: true);
    }

    [Fact]
    public void With_KeyInOtherCase_KeepsTheIdOfTheFile()
    {
        var over = ConfigTree.FromJson("""{ "streamproxy": { "routes": { "APP1": { "ORDER": 5 } } } }""");

        var tree = ConfigTree.FromJson("""{ "StreamProxy": { "Routes": { "app1": { "ClusterId": "c" } } } }""").With(over);
        var config = ConfigurationReader.Read(tree.Find("STREAMPROXY")!, "StreamProxy").Config;

        Assert.Equal(["app1"], config.Routes.Keys);
        Assert.Equal(("c", 5), (config.Routes["app1"].ClusterId, config.Routes["app1"].Order));
    }

    [Fact]
    public void Children_SourceWithAnOrderOfItsOwn_AreInOrder()
    {
        var keys = Enumerable.Range(0, 30).Reverse().Select(i => KeyValuePair.Create($"A:{i}", (string?)"x"));
        var root = SectionConfigNode.OfRoot(new ConfigurationBuilder().Add(new UnorderedSource(keys)).Build());

        Assert.Equal(Enumerable.Range(0, 30).Select(i => i.ToString()), root.Find("a")!.Children.ToArray().Select(child => child.Key));
    }

    [Theory]
    [InlineData("{ \"A\": null }", false)]
    [InlineData("{ \"A\": {} }", false)]
    [InlineData("{ \"A\": [] }", true)]
    [InlineData("{ \"A\": { \"b\": null } }", true)]
    public void Exists_AsInAnIConfiguration(string json, bool expected)
    {
        Assert.Equal(expected, ConfigTree.FromJson(json).Find("a")!.Exists);
        Assert.Equal(expected, ConfigTree.FromConfiguration(Encoding.UTF8.GetBytes(json)).Find("a")!.Exists);
    }

    [Fact]
    public void Flatten_GivesTheKeysOfAnIConfiguration()
    {
        var root = new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(File))).Build();

        Assert.Equal(
            root.AsEnumerable().OrderBy(pair => pair.Key, StringComparer.Ordinal),
            ConfigTree.FromJson(File).Children.ToArray().SelectMany(node => node.Flatten()).OrderBy(pair => pair.Key, StringComparer.Ordinal));
    }

    /// <summary>Gives its keys as they come.</summary>
    private sealed class UnorderedSource(IEnumerable<KeyValuePair<string, string?>> keys) : ConfigurationProvider, IConfigurationSource
    {
        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

        public override void Load() => Data = new Dictionary<string, string?>(keys, StringComparer.OrdinalIgnoreCase);

        public override IEnumerable<string> GetChildKeys(IEnumerable<string> earlierKeys, string? parentPath)
            => base.GetChildKeys(earlierKeys, parentPath).Reverse();
    }
}
