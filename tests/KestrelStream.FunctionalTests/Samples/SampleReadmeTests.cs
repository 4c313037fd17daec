using System.Globalization;
using System.Text.RegularExpressions;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Samples;

/// <summary>What the READMEs of the samples tell people to type works, and the nginx configurations in them are ones.</summary>
public sealed partial class SampleReadmeTests
{
    public static TheoryData<string> All => ["tcp-passthrough", "sni-passthrough", "tls-termination", "lets-encrypt", "postgres", "postgres-starttls", "postgres-ha", "dns-discovery", "proxy-protocol", "one-port", "library", "kubernetes"];

    public static TheoryData<string> Runnable => ["tcp-passthrough", "sni-passthrough", "tls-termination", "lets-encrypt", "postgres", "postgres-starttls", "postgres-ha", "dns-discovery", "proxy-protocol", "one-port", "library"];

    [Theory]
    [MemberData(nameof(All))]
    public async Task Nginx_Configuration_IsValid(string sample)
    {
        using var folder = new TempFolder();
        var (path, keyPath) = TestCertificates.Shared.Issue("example.com").WritePem(folder);
        var text = new SampleReadme(sample).Nginx;
        text = CertificatePath().Replace(text, $"ssl_certificate {path};");
        text = KeyPath().Replace(text, $"ssl_certificate_key {keyPath};");
        const string Module = "/usr/lib/nginx/modules/ngx_stream_module.so";
        var load = File.Exists(Module) ? $"load_module {Module};\n" : "";

        var result = await NginxProcess.TestAsync($"{load}pid {folder["pid"]};\nevents {{ }}\n{text}", folder);

        Assert.True(result.ExitCode == 0, result.ToString());
    }

    /// <summary>The first three blocks, on a copy of the folder whose ports are free ones; "dotnet run" stands for the program as it was built.</summary>
    [Theory]
    [MemberData(nameof(Runnable))]
    public async Task Readme_Commands_Work(string sample)
    {
        using var folder = new TempFolder();
        File.SetUnixFileMode(folder.Path, (UnixFileMode)Convert.ToInt32("755", 8));
        var config = await File.ReadAllTextAsync(Sample.ConfigPath(sample));
        var ports = Port().Matches(config).Select(match => match.Value).Distinct().ToDictionary(port => port, _ => LoopbackPort.Take().ToString(CultureInfo.InvariantCulture));
        folder.Write($"samples/{sample}/appsettings.json", MovePorts(config));
        var commands = new SampleReadme(sample).Commands.Select(MovePorts).ToList();
        Directory.CreateDirectory(folder["tmp"], (UnixFileMode)Convert.ToInt32("1777", 8));
        File.SetUnixFileMode(folder["tmp"], (UnixFileMode)Convert.ToInt32("1777", 8));

        Assert.Contains("dotnet run", commands[1]);
        var program = sample == "library" ? RepositoryFolder.BuildOutput("samples/library", "LibrarySample") : ServerProcess.Program;
        var script = folder.Write("readme.sh", $$"""
            set -eu
            trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT
            cd '{{folder.Path}}'
            {{commands[0]}}
            (
            cd '{{folder.Path}}'
            {{DotnetRun().Replace(commands[1], $"exec '{program}'")}}
            ) > '{{folder["server.log"]}}' 2>&1 &
            server=$!
            until grep -qE '^Ready|Now listening on' '{{folder["server.log"]}}'; do
                kill -0 $server || { cat '{{folder["server.log"]}}'; exit 1; }
                sleep 0.2
            done
            echo "--- proof"
            {{commands[2]}}
            """);

        var result = await ChildProcess.RunAsync(
            PeerProgram.Find("bash", "bash"),
            [script],
            environment: new Dictionary<string, string?> { ["DOTNET_ROOT"] = PeerProgram.DotnetRoot, ["TMPDIR"] = folder["tmp"] },
            within: TimeSpan.FromSeconds(150));

        Assert.True(result.ExitCode == 0, result.ToString());

        string MovePorts(string text) => ports.Aggregate(text, (moved, port) => Regex.Replace(moved, $@"\b{port.Key}\b", port.Value));
    }

    [GeneratedRegex(@"(?<=:)\d{4,5}(?="")")]
    private static partial Regex Port();

    [GeneratedRegex(@"dotnet run.*")]
    private static partial Regex DotnetRun();

    [GeneratedRegex(@"ssl_certificate\s+[^;]+;")]
    private static partial Regex CertificatePath();

    [GeneratedRegex(@"ssl_certificate_key\s+[^;]+;")]
    private static partial Regex KeyPath();
}
