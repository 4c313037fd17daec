using System.Globalization;
using System.Text.Json.Nodes;

namespace KestrelStream.TestKit.Peers;

/// <summary>A real ACME server, pebble, on a free port of 127.0.0.1. It forgets everything when it ends.</summary>
public sealed class PebbleServer : PeerServer
{
    private readonly PebbleOptions _options;

    private PebbleServer(PebbleOptions options) => _options = options;

    /// <summary>URL of its directory.</summary>
    public string Directory => $"https://localhost:{EndPoint.Port}/dir";

    /// <summary>PEM file of the root that its own certificate leads to.</summary>
    public string RootPath => Folder["root.pem"];

    /// <summary>What it was asked: <c>POST /order-plz</c>, and what it says of it.</summary>
    public ProcessOutput Log => Process.Output;

    public static Task<PebbleServer> StartAsync(PebbleOptions options) => StartAsync(new PebbleServer(options));

    protected override ChildProcess Launch()
    {
        var (certificate, key) = TestCertificates.Shared.Issue("localhost").WritePem(Folder);
        Folder.Write("root.pem", TestCertificates.Shared.Root.ExportCertificatePem() + "\n");
        var pebble = new JsonObject
        {
            ["listenAddress"] = EndPoint.ToString(),
            ["managementListenAddress"] = "",
            ["certificate"] = certificate,
            ["privateKey"] = key,
            ["httpPort"] = _options.HttpPort,
            ["tlsPort"] = _options.TlsPort,
            ["certificateValidityPeriod"] = (long)_options.Validity.TotalSeconds,
            ["externalAccountBindingRequired"] = _options.ExternalAccount is not null,
        };
        if (_options.ExternalAccount is { } account)
        {
            pebble["externalAccountMACKeys"] = new JsonObject { [account.KeyId] = account.HmacKey };
        }

        var environment = new Dictionary<string, string?>
        {
            ["PEBBLE_WFE_NONCEREJECT"] = _options.NonceReject.ToString(CultureInfo.InvariantCulture),
            ["PEBBLE_AUTHZREUSE"] = "0",
            [_options.Sleep > 0 ? "PEBBLE_VA_SLEEPTIME" : "PEBBLE_VA_NOSLEEP"] = _options.Sleep > 0 ? _options.Sleep.ToString(CultureInfo.InvariantCulture) : "1",
        };
        var config = Folder.Write("pebble.json", new JsonObject { ["pebble"] = pebble }.ToJsonString());
        return ChildProcess.Start(PeerProgram.Find("pebble", "pebble"), ["-config", config, "-dnsserver", _options.Dns.ToString()], environment);
    }
}
