using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Configuration.Sources;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.FileProviders.Physical;
using Xunit;

namespace KestrelStream.Tests.Configuration;

public sealed class IndexedJsonConfigurationTests : IDisposable
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"kestrelstream-{Guid.NewGuid():n}.json");

    public static TheoryData<string> Goldens
        => new(Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Configuration", "Goldens"), "*.json").Select(Path.GetFileName).Order(StringComparer.Ordinal).ToArray()!);

    public void Dispose() => File.Delete(_file);

    [Theory]
    [MemberData(nameof(Goldens))]
    public void Build_GoldenFile_GivesTheTreeThatAddJsonFileGives(string name)
    {
        var file = Path.Combine(AppContext.BaseDirectory, "Configuration", "Goldens", name);

        Assert.Equal(Dump(new ConfigurationBuilder().AddJsonFile(file).Build()), Dump(Build(file)));
    }

    [Fact]
    public void Build_OtherSourcesBeforeAndAfter_KeysAreMerged()
    {
        File.WriteAllText(_file, """{ "A": { "2": "two", "10": "ten", "x": { "deep": 1 } } }""");
        var root = new ConfigurationBuilder()
            .AddInMemoryCollection([new("a:1", "one"), new("A:X:other", "2")])
            .Add(SourceOf(_file))
            .AddInMemoryCollection([new("A:3", "three")])
            .Build();

        Assert.Equal(["1", "2", "3", "10", "x"], root.GetSection("A").GetChildren().Select(child => child.Key.ToLowerInvariant()));
        Assert.Equal(["deep", "other"], root.GetSection("a:x").GetChildren().Select(child => child.Key));
    }

    [Fact]
    public void GetChildren_AfterSetAndAfterReload_ShowsTheNewKeys()
    {
        File.WriteAllText(_file, """{ "A": { "x": 1 } }""");
        var root = Build(_file);
        Assert.Equal(["x"], root.GetSection("A").GetChildren().Select(child => child.Key));

        root["A:y"] = "2";
        Assert.Equal(["x", "y"], root.GetSection("A").GetChildren().Select(child => child.Key));

        File.WriteAllText(_file, """{ "A": { "z": 1 } }""");
        root.Reload();
        Assert.Equal(["z"], root.GetSection("A").GetChildren().Select(child => child.Key));
    }

    [Theory]
    [InlineData("""{ "A": { "r": { "x": 1 }, "r": { "y": 2 } }, "B": [ { "k": 1, "k": { } } ] }""", "A:r, B:0:k")]
    [InlineData("""{ "A": { "r": { "x": 1 }, "R": { "y": 2 } } }""", "A:R")]
    public void Build_KeyIsThereTwice_Throws(string json, string keys)
    {
        File.WriteAllText(_file, json);

        var exception = Assert.Throws<InvalidDataException>(() => Build(_file));

        Assert.EndsWith(keys, Assert.IsType<FormatException>(exception.InnerException).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_CommentsTrailingCommasByteOrderMark_AreTaken()
    {
        File.WriteAllText(_file, "// a comment\n{ \"A\": { \"x\": 1, }, /* another */ }", new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));

        Assert.Equal("1", Build(_file)["A:x"]);
    }

    [Fact]
    public void Build_NoJson_ThrowsWithTheLine()
    {
        File.WriteAllText(_file, "{\n\"A\": x\n}");

        var exception = Assert.Throws<InvalidDataException>(() => Build(_file));

        Assert.Contains("LineNumber: 1", exception.InnerException!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_TenThousandRoutes_IsDoneInTime()
    {
        const int Count = 10_000;
        var json = new StringBuilder("""{ "StreamProxy": { "Routes": { """);
        json.AppendJoin(',', Enumerable.Range(0, Count).Select(i => $$"""
            "r{{i}}": { "Match": { "Sni": ["n{{i}}.example.com"] }, "ClusterId": "c" }
            """));
        File.WriteAllText(_file, json.Append("} } }").ToString());
        var root = Build(_file);

        // Some 100 ms are needed; looking through all keys for each map takes a minute on a small machine.
        var result = await Task.Run(() => ConfigurationReader.Read(root.GetSection("StreamProxy"))).WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Equal(Count, result.Config.Routes.Count);
        Assert.Empty(result.Errors);
    }

    private static IConfigurationRoot Build(string file) => new ConfigurationBuilder().Add(SourceOf(file)).Build();

    private static IndexedJsonConfigurationSource SourceOf(string file)
        => new() { Path = Path.GetFileName(file), FileProvider = new PhysicalFileProvider(Path.GetDirectoryName(file)!, ExclusionFilters.None) };

    private static string Dump(IConfiguration configuration)
    {
        var text = new StringBuilder();
        foreach (var (key, value) in configuration.AsEnumerable())
        {
            text.Append(key).Append('=').AppendLine(value ?? "null");
        }

        return text.ToString();
    }
}
