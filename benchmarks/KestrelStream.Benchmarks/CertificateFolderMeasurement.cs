using System.Diagnostics;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;

namespace KestrelStream.Benchmarks;

/// <summary>What a folder of certificates costs the server: time until it is ready, memory before and after clients have asked for every name, time until a renewed one is in force.</summary>
internal static class CertificateFolderMeasurement
{
    /// <param name="program">The published kestrelstream.</param>
    /// <param name="count">Certificates, ECDSA P-256, each with one intermediate.</param>
    public static async Task RunAsync(string program, int count)
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder["certs"]);
        TestCertificates.Shared.Issue(Name(0)).WritePem(folder, "certs/0.crt", "certs/0.key");
        await using var upstream = ScriptedUpstream.Echo();
        await MeasureAsync(program, folder, upstream, 1);

        Parallel.For(1, count, i => TestCertificates.Shared.Issue(Name(i)).WritePem(folder, $"certs/{i}.crt", $"certs/{i}.key"));
        await MeasureAsync(program, folder, upstream, count);
    }

    private static string Name(int number) => $"n{number}.example.com";

    private static async Task MeasureAsync(string program, TempFolder folder, ScriptedUpstream upstream, int count)
    {
        var config = folder.Write("appsettings.json", $$"""
            {
              "StreamProxy": {
                "Listeners": { "public": { "Address": "127.0.0.1:0" } },
                "Certificates": { "all": { "Directory": "certs" } },
                "Routes": { "all": { "Tls": { "Mode": "Terminate", "Certificates": ["all"] }, "ClusterId": "c" } },
                "Clusters": { "c": { "Destinations": { "a": { "Address": "{{upstream.EndPoint}}" } } } }
              }
            }
            """);
        var watch = Stopwatch.StartNew();
        await using var server = await ServerProcess.StartAsync(new ServerOptions { Program = program, ConfigPath = config });
        Print(count, "ready after", watch.Elapsed.TotalSeconds, "s");
        await Task.Delay(TimeSpan.FromSeconds(2));
        Print(count, "memory", server.ResidentBytes() / 1e6, "MB");

        var before = server.ProcessorTime();
        await Task.Delay(TimeSpan.FromSeconds(10));
        Print(count, "watching, of a core", (server.ProcessorTime() - before).TotalSeconds * 10, "%");

        watch.Restart();
        for (var i = 0; i < count; i++)
        {
            await SerialAsync(server, Name(i));
        }

        Print(count, "a first handshake for each name", watch.Elapsed.TotalMilliseconds / count, "ms");
        await Task.Delay(TimeSpan.FromSeconds(2));
        Print(count, "memory then", server.ResidentBytes() / 1e6, "MB");

        foreach (var isRenamed in new[] { true, false })
        {
            var next = TestCertificates.Shared.Issue(Name(0));
            if (isRenamed)
            {
                File.Move(folder.Write("certs/.0.key", next.KeyPem), folder["certs", "0.key"], overwrite: true);
                File.Move(folder.Write("certs/.0.crt", next.ChainPem), folder["certs", "0.crt"], overwrite: true);
            }
            else
            {
                next.WritePem(folder, "certs/0.crt", "certs/0.key");
            }

            watch.Restart();
            while (await SerialAsync(server, Name(0)) != next.Leaf.SerialNumber && watch.Elapsed < TimeSpan.FromSeconds(30))
            {
                await Task.Delay(10);
            }

            Print(count, isRenamed ? "a renamed pair is in force after" : "an overwritten pair is in force after", watch.Elapsed.TotalSeconds, "s");
        }
    }

    private static async Task<string> SerialAsync(ServerProcess server, string name)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server.Listener("public"));
        await using var ssl = new SslStream(client.GetStream(), false, (_, _, _, _) => true);
        await ssl.AuthenticateAsClientAsync(name);
        return ssl.RemoteCertificate!.GetSerialNumberString();
    }

    private static void Print(int count, string what, double value, string unit)
        => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count,6} certificates: {what} {value:0.00} {unit}"));
}
