using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using KestrelStream.Configuration;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Tls;

/// <summary>A folder, a destination that greets and then echoes, and a route that ends TLS in front of it, for the real <c>openssl s_client</c>. One a test.</summary>
internal sealed class TlsScene : IDisposable
{
    public const string Greeting = "hello from the destination";

    public TempFolder Folder { get; } = new();

    public ScriptedUpstream Upstream { get; } = new(async socket =>
    {
        await socket.SendAllAsync(System.Text.Encoding.ASCII.GetBytes(Greeting + "\n"));
        var buffer = new byte[65536];
        int count;
        while ((count = await socket.ReceiveAsync(buffer)) > 0)
        {
            await socket.SendAllAsync(buffer.AsMemory(0, count));
        }

        socket.Shutdown(SocketShutdown.Send);
    });

    public void Dispose()
    {
        Upstream.DisposeAsync().AsTask().Wait(Wait.Limit);
        Folder.Dispose();
    }

    /// <summary>One route that takes everything, with a new certificate.</summary>
    public StreamProxyConfig Config(
        string certificateName,
        Func<RouteTlsConfig, RouteTlsConfig>? tls = null,
        ScriptedUpstream? upstream = null,
        TlsEngineKind engine = TlsEngineKind.OpenSsl,
        EngineKind on = EngineKind.EventLoop)
        => Config(TestCertificates.Shared.Issue(certificateName), tls, upstream, engine, on);

    /// <inheritdoc cref="Config(string, Func{RouteTlsConfig, RouteTlsConfig}, ScriptedUpstream, TlsEngineKind, EngineKind)"/>
    public StreamProxyConfig Config(
        TestCertificate certificate,
        Func<RouteTlsConfig, RouteTlsConfig>? tls = null,
        ScriptedUpstream? upstream = null,
        TlsEngineKind engine = TlsEngineKind.OpenSsl,
        EngineKind on = EngineKind.EventLoop)
    {
        var (path, key) = certificate.WritePem(Folder, "a.pem", "a.key");
        return ProxyEnvironment.OneRoute(on, (upstream ?? Upstream).EndPoint, r => r with
        {
            Tls = (tls ?? (t => t))(new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["a"] }),
        }) with
        {
            Tls = new TlsConfig { Engine = engine },
            Certificates = new Dictionary<string, CertificateConfig> { ["a"] = new() { Path = path, KeyPath = key } },
        };
    }

    /// <inheritdoc cref="ConnectAsync(IPEndPoint, string, string[])"/>
    public static Task<string> ConnectAsync(ProxyEnvironment proxy, string? name, params string[] arguments) => ConnectAsync(proxy.EndPoint(), name, arguments);

    /// <summary>Stays connected until the destination has spoken, or the proxy has turned it away; everything it says.</summary>
    public static async Task<string> ConnectAsync(IPEndPoint endPoint, string? name, params string[] arguments)
    {
        await using var client = Start(endPoint, name, arguments);
        await Wait.UntilAsync(() => client.HasExited || client.Output.Text.Contains(Greeting, StringComparison.Ordinal), "openssl s_client");
        await client.WriteInputAsync([], close: true);
        var result = await client.WaitForResultAsync(Wait.Limit);
        return result.Output + result.Error;
    }

    public static ChildProcess Start(IPEndPoint endPoint, string? name, params string[] arguments) => ChildProcess.Start(
        PeerProgram.Find("openssl", "openssl"),
        ["s_client", "-connect", endPoint.ToString(), .. name is null ? (string[])["-noservername"] : ["-servername", name], .. arguments]);

    /// <summary>Whether a client that was let in has resumed a session.</summary>
    public static bool IsResumed(string output)
    {
        Assert.Contains(Greeting, output, StringComparison.Ordinal);
        return Regex.IsMatch(output, "^Reused, ", RegexOptions.Multiline);
    }
}
