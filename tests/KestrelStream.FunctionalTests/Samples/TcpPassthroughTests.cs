using System.Security.Cryptography;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Samples;

/// <summary>samples/tcp-passthrough.</summary>
public sealed class TcpPassthroughTests
{
    [Fact]
    public async Task TcpPassthrough_LargeFile_ArrivesUnchanged()
    {
        using var folder = new TempFolder();
        var content = RandomNumberGenerator.GetBytes(20_000_000);
        folder.Write("files/big.bin", content);
        await using var nginx = await NginxProcess.StartAsync(new NginxSite("plain", Folder: folder["files"]));
        await using var server = await Sample.StartServerAsync("tcp-passthrough", new()
        {
            ["StreamProxy:Listeners:public:Address"] = "127.0.0.1:0",
            ["StreamProxy:Clusters:backend:Destinations:a:Address"] = nginx["plain"].ToString(),
        });

        var page = await Curl.GetAsync(server.Listener("public"), "/");
        Assert.Contains("site=plain", page.Body);

        var file = folder["got.bin"];
        var download = await Curl.GetAsync("http://127.0.0.1/files/big.bin", server.Listener("public"), "--output", file);
        Assert.Equal(200, download.Status);
        Assert.Equal(SHA256.HashData(content), SHA256.HashData(await File.ReadAllBytesAsync(file)));

        Assert.Equal(0, (await server.StopAsync()).ExitCode);
    }
}
