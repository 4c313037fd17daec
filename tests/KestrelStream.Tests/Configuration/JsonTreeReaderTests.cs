using System.Text;
using System.Text.Json;
using KestrelStream.Configuration;
using KestrelStream.Configuration.Validation;
using Xunit;

namespace KestrelStream.Tests.Configuration;

public sealed class JsonTreeReaderTests
{
    private static readonly string s_goldens = Path.Combine(AppContext.BaseDirectory, "Configuration", "Goldens");

    public static TheoryData<string> Goldens
        => new(Directory.EnumerateFiles(s_goldens, "*.json").Select(Path.GetFileName).Order(StringComparer.Ordinal).ToArray()!);

    public static TheoryData<string> Inputs =>
    [
        "{}",
        """{ "A": null, "B": {}, "C": [], "D": "", "E": true, "F": false }""",
        """{ "A": [1, -0, 1e400, 0.10, 1E+2, 123456789012345678901234567890] }""",
        """{ "A": [[], {}, null, [[1], [2, [3]]], { "x": [] }] }""",
        """{ "A": { "b": 1, "10": 2, "a": 3, "9": 4, "-1": 5, "Z": 6, "_": 7, " 8": 8, "2147483648": 9, "٣": 10 } }""",
        """{ "": 1, "A": { "": { "": 2 } } }""",
        """{ "\u0041\n\"\\": "\ud83d\ude00\u0000\/", "ключ": "значение", "😀": "\t" }""",
        """{ "A:B": 1, "A": { "C": 2 }, "a:D:E": { "F": 3 } }""",
        """{ "A": { "B": { "x": 1 } }, "A:B:y": 2, "A:B": 3, "L:0": "a", "L:1": "b" }""",
        """{ "A": [1, 2], "A:2": 3, "A:x": 4, "B": 1, "B:c": 2, "::": 5 }""",
        """{ "A": { "x:y": 1, "x:z": [ { "p:q": true } ] } }""",
        """{ "A": [0,1,2,3,4,5,6,7,8,9,10,11], "B": "a text that is longer than thirty-two bytes, and so is never looked up" }""",
        "\uFEFF// a comment\n{ \"A\": { \"x\": 1, }, /* another } */ \"B\": [ 1, /* 2 */ 3, ], // the last\n }\n// the end",
    ];

    public static TheoryData<string> NoJson =>
    [
        "", "  ", "\uFEFF", "{\n\"A\": x\n}", "{", "{ \"A\"", "{ \"A\":", "{ \"A\": \"x", "{ \"A\": tru", "{ \"A\": tru }", "{ \"A\": 01 }", "{ \"A\": 1.\n }",
        "{\n  \"A\": [1, 2\n}", "{ } { }", "{ }\n\n x", "{ 'A': 1 }", "{ \"A\": 1,, }", "{ \"A\": \"\n\" }", "{ \"A\": \"\\x\" }", "{ \"A\": /* }", "{ \"длинный ключ\": 1 2 }",
        "\0", "{ \"A\": NaN }", "{ , }", "[1,", "{ \"A\": \"\\ud8\" }",
    ];

    [Theory]
    [MemberData(nameof(Goldens))]
    public void Read_GoldenFile_GivesTheTreeThatAddJsonFileGives(string name)
        => AssertSameTree(File.ReadAllBytes(Path.Combine(s_goldens, name)));

    [Theory]
    [MemberData(nameof(Goldens))]
    public void Read_GoldenFile_GivesTheErrorsThatAreFoundInAnIConfiguration(string name)
    {
        var json = File.ReadAllBytes(Path.Combine(s_goldens, name));

        Assert.Equal(ErrorsIn(ConfigTree.FromConfiguration(json)), ErrorsIn(ConfigTree.FromJson(json)));
    }

    [Theory]
    [MemberData(nameof(Inputs))]
    public void Read_AnyInput_GivesTheTreeThatAddJsonFileGives(string json) => AssertSameTree(Encoding.UTF8.GetBytes(json));

    [Theory]
    [InlineData("{ \"A\": \"caf\u00e9\", \"B\": { \"\u00ff\u00fe\": 1 } }")]
    [InlineData("{ \"A\": 1 } // caf\u00e9")]
    public void Read_BytesThatAreNoUtf8_GivesTheTreeThatAddJsonFileGives(string latin1) => AssertSameTree(Encoding.Latin1.GetBytes(latin1));

    [Theory]
    [MemberData(nameof(NoJson))]
    public void Read_NoJson_SaysWhatJsonDocumentSays(string text)
    {
        var json = Encoding.UTF8.GetBytes(text);
        var expected = Assert.ThrowsAny<JsonException>(() => JsonDocument.Parse(new MemoryStream(json), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }));

        foreach (var bufferSize in new[] { 3, 16, 16 * 1024 })
        {
            Assert.Equal(expected.Message, Assert.ThrowsAny<JsonException>(() => ConfigTree.FromJson(json, bufferSize)).Message);
        }
    }

    [Fact]
    public void Read_NoJson_SaysTheLine()
        => Assert.Contains("LineNumber: 1 | BytePositionInLine: 5", Assert.ThrowsAny<JsonException>(() => ConfigTree.FromJson("{\n\"A\": x\n}")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void Read_Depth_HasALimit(int depth, bool isRead)
    {
        var json = string.Concat(Enumerable.Repeat("{\"a\":", depth - 1)) + "{}" + new string('}', depth - 1);

        var exception = Record.Exception(() => ConfigTree.FromJson(json));

        Assert.Equal(isRead, exception is null);
        Assert.True(isRead || exception is JsonException, exception?.ToString());
    }

    [Theory]
    [InlineData("[]", "Array")]
    [InlineData("\"x\"", "String")]
    [InlineData("1", "Number")]
    [InlineData("true", "True")]
    [InlineData("false", "False")]
    [InlineData("null", "Null")]
    public void Read_TopIsNoMap_SaysWhatAddJsonFileSays(string json, string kind)
        => Assert.Equal($"Top-level JSON element must be an object. Instead, '{kind}' was found.", Assert.Throws<FormatException>(() => ConfigTree.FromJson(json)).Message);

    [Theory]
    [InlineData("""{ "A": { "r": { "x": 1 }, "r": { "y": 2 } }, "B": [ { "k": 1, "k": { } } ] }""", "A:r, B:0:k")]
    [InlineData("""{ "A": { "r": { "x": 1 }, "R": { "y": 2 } } }""", "A:R")]
    [InlineData("""{ "A": 1, "b": 0, "a": { "r": [ [], { "Z": 1, "y": 0, "z": 2 } ], "r": 2, "r": 3 } }""", "a, a:r:1:z, a:r, a:r")]
    [InlineData("""{ "\u0041": 1, "A": 2 }""", "A")]
    [InlineData("""{ "1": 1, "01": 2, "+1": 3, "1": 4 }""", "1")]
    [InlineData("""{ "A": { "r": 1 }, "A:r": 2 }""", "A:r")]
    [InlineData("""{ "A:r": 1, "a:R": 2 }""", "a:R")]
    [InlineData("""{ "A:r": { "x": [1] }, "A": { "r": { "x:0": 2, "y": 3 } } }""", "A:r:x:0")]
    [InlineData("""{ "S": { "A:r": 1, "A": { "r": null } } }""", "S:A:r")]
    public void Read_KeyIsThereTwice_NamesEach(string json, string keys)
        => Assert.Equal($"Keys that are there twice (case is ignored): {keys}", Assert.Throws<FormatException>(() => ConfigTree.FromJson(json)).Message);

    [Fact]
    public void Read_HalfOfASurrogatePair_IsAMistakeOfTheFile()
        => Assert.Throws<FormatException>(() => ConfigTree.FromJson("""{ "A": "\ud83d" }"""));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Read_TenThousandRoutes_TakesLittleMemory(bool isReversed)
    {
        const int Count = 10_000;
        var routes = Enumerable.Range(0, Count).Select(i => $$"""
            "r{{i}}": { "Match": { "Sni": ["n{{i}}.example.com"] }, "ClusterId": "c{{i % 100}}" }
            """);
        var json = Encoding.UTF8.GetBytes($$"""{ "StreamProxy": { "Routes": { {{string.Join(',', isReversed ? routes.Reverse() : routes)}} } } }""");
        ConfigurationReader.Read(ConfigTree.FromJson(json).Find("StreamProxy")!, "StreamProxy");

        var before = GC.GetAllocatedBytesForCurrentThread();
        var result = ConfigurationReader.Read(ConfigTree.FromJson(json).Find("StreamProxy")!, "StreamProxy");
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(Count, result.Config.Routes.Count);
        Assert.Empty(result.Errors);

        // About 1 KB a route; by way of an IConfiguration it were 10.
        Assert.InRange(allocated, 1, Count * 2_000);
    }

    /// <summary>However the file is cut into pieces.</summary>
    private static void AssertSameTree(byte[] json)
    {
        var expected = ConfigTree.Dump(ConfigTree.FromConfiguration(json));
        foreach (var bufferSize in new[] { 3, 16, 100, 16 * 1024 })
        {
            Assert.Equal(expected, ConfigTree.Dump(ConfigTree.FromJson(json, bufferSize)));
        }
    }

    private static IEnumerable<string> ErrorsIn(KestrelStream.Configuration.Sources.ConfigNode root)
        => root.Find("StreamProxy") is { } section
            ? new StreamProxyConfigValidator(TestHooks.Default).Validate(ConfigurationReader.Read(section, "StreamProxy")).Errors.Select(error => error.ToString())
            : ["no section"];
}
