using System.Globalization;
using KestrelStream.Configuration;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Server;

/// <summary>deploy/systemd.</summary>
public sealed class SystemdUnitTests
{
    private static string UnitPath => RepositoryFolder.Combine("deploy", "systemd", "kestrelstream.service");

    [Fact]
    public async Task Unit_Verify_FindsNothingToSay()
    {
        using var folder = new TempFolder();

        // The program is not installed where the unit says.
        var text = (await File.ReadAllTextAsync(UnitPath)).Replace("/opt/kestrelstream/kestrelstream", ServerProcess.Program, StringComparison.Ordinal);
        var analyze = PeerProgram.Find("systemd-analyze", "systemd");
        var version = (await ChildProcess.RunAsync(analyze, ["--version"])).Output.Split(' ')[1];
        if (int.Parse(version, CultureInfo.InvariantCulture) < 253)
        {
            // The type is unknown to it; the drop-in takes its place.
            text = text.Replace("Type=notify-reload\n", "", StringComparison.Ordinal) + await File.ReadAllTextAsync(RepositoryFolder.Combine("deploy", "systemd", "before-253.conf"));
        }

        var result = await ChildProcess.RunAsync(analyze, ["verify", "--man=no", "--recursive-errors=no", folder.Write("kestrelstream.service", text)]);

        Assert.DoesNotContain("kestrelstream.service", result.Error);
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    [Fact]
    public void Unit_Keys_AreThoseOfAConfinedServiceThatDrains()
    {
        var keys = File.ReadAllLines(UnitPath)
            .Where(line => line.Contains('=') && !line.StartsWith('#'))
            .Select(line => line.Split('=', 2))
            .GroupBy(pair => pair[0], pair => pair[1])
            .ToDictionary(group => group.Key, group => group.ToList());

        Assert.Equal("notify-reload", keys["Type"].Single());
        Assert.Equal("yes", keys["NoNewPrivileges"].Single());
        Assert.Equal("CAP_NET_BIND_SERVICE", keys["CapabilityBoundingSet"].Single());
        Assert.Equal("CAP_NET_BIND_SERVICE", keys["AmbientCapabilities"].Single());
        Assert.Equal("strict", keys["ProtectSystem"].Single());
        Assert.Equal("yes", keys["DynamicUser"].Single());
        Assert.Contains("DOTNET_EnableDiagnostics=0", keys["Environment"]);

        // The sd_notify of the server reloads on SIGHUP, which is what systemd sends when no other signal is named.
        Assert.DoesNotContain("ReloadSignal", keys.Keys);
        var stop = TimeSpan.FromSeconds(int.Parse(keys["TimeoutStopSec"].Single().TrimEnd('s'), CultureInfo.InvariantCulture));
        Assert.True(stop > new StreamProxyConfig().ShutdownTimeout);
    }
}
