using System.Runtime.CompilerServices;
using KestrelStream.Configuration;
using KestrelStream.Configuration.Validation;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace KestrelStream.Tests.Configuration;

/// <summary>
/// One file a case: <c>x.json</c> with <c>x.errors.txt</c> (every error, in order) or <c>x.expected.txt</c> (what it was compiled to).
/// A run with <c>KESTRELSTREAM_UPDATE_GOLDENS=1</c> writes what it finds into the source tree instead, to be looked through.
/// </summary>
public class ConfigGoldensTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Configuration", "Goldens");

    public static TheoryData<string> Cases => [.. CaseNames];

    private static IEnumerable<string> CaseNames
        => Directory.EnumerateFiles(Folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Validate_GoldenFile_GivesWhatStandsBesideIt(string name)
    {
        var result = ReadAndValidate(Path.Combine(Folder, name + ".json"));

        var isGood = result.Errors.Count == 0;
        var actual = isGood ? ConfigSummary.Of(result.Config) : string.Concat(result.Errors.Select(error => error + "\n"));
        var resultFile = name + (isGood ? ".expected.txt" : ".errors.txt");
        if (Environment.GetEnvironmentVariable("KESTRELSTREAM_UPDATE_GOLDENS") == "1")
        {
            File.WriteAllText(Path.Combine(SourceFolder(), resultFile), actual);
            return;
        }

        Assert.True(File.Exists(Path.Combine(Folder, resultFile)), $"{resultFile} is not there. Found:\n{actual}");
        Assert.Equal(File.ReadAllText(Path.Combine(Folder, resultFile)), actual);
        Assert.Equal(isGood, name.StartsWith("good-", StringComparison.Ordinal));
    }

    [Fact]
    public void Goldens_EveryResultFile_HasItsCase()
    {
        var results = Directory.EnumerateFiles(Folder, "*.txt").Select(file => Path.GetFileName(file).Split('.')[0]).Order(StringComparer.Ordinal);

        Assert.Equal(CaseNames, results);
        Assert.True(CaseNames.Count() >= 50);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Validate_GoldenFile_ErrorsAreOneLineWithoutSecrets(string name)
    {
        foreach (var error in ReadAndValidate(Path.Combine(Folder, name + ".json")).Errors)
        {
            Assert.DoesNotContain('\n', error.ToString());
            Assert.DoesNotContain("do not print", error.ToString(), StringComparison.Ordinal);
            Assert.StartsWith("StreamProxy", error.Path, StringComparison.Ordinal);
        }
    }

    private static ConfigResult ReadAndValidate(string file)
    {
        var configuration = new ConfigurationBuilder().AddJsonFile(file).Build();
        return new StreamProxyConfigValidator(TestHooks.Default).Validate(ConfigurationReader.Read(configuration.GetSection("StreamProxy")));
    }

    private static string SourceFolder([CallerFilePath] string thisFile = "") => Path.Combine(Path.GetDirectoryName(thisFile)!, "Goldens");
}
