using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace KestrelStream.TestKit.Peers;

/// <summary>A real ACME server, pebble, on a free port of 127.0.0.1. It forgets everything when it ends.</summary>
public sealed class PebbleServer : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private ChildProcess? _process;

    private PebbleServer()
    {
    }

    /// <summary>URL of its directory.</summary>
    public string Directory => $"https://localhost:{EndPoint.Port}/dir";

    /// <summary>PEM file of the root that its own certificate leads to.</summary>
    public string RootPath => _folder["root.pem"];

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint { get; private set; } = LoopbackPort.TakeEndPoint();

    /// <summary>What it was asked: <c>POST /order-plz</c>, and what it says of it.</summary>
    public ProcessOutput Log => _process!.Output;

    public static async Task<PebbleServer> StartAsync(PebbleOptions options)
    {
        var server = new PebbleServer();
        try
        {
            for (var attempt = 1; !await server.TryStartAsync(options); attempt++)
            {
                if (attempt == 3)
                {
                    throw new InvalidOperationException($"pebble has not started:\n{server.Log.Text}\n{server._process!.Error.Text}");
                }

                server.EndPoint = LoopbackPort.TakeEndPoint();
            }

            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _folder.Dispose();
    }

    private async Task<bool> TryStartAsync(PebbleOptions options)
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        var (certificate, key) = TestCertificates.Shared.Issue("localhost").WritePem(_folder);
        _folder.Write("root.pem", TestCertificates.Shared.Root.ExportCertificatePem() + "\n");
        var pebble = new JsonObject
        {
            ["listenAddress"] = EndPoint.ToString(),
            ["managementListenAddress"] = "",
            ["certificate"] = certificate,
            ["privateKey"] = key,
            ["httpPort"] = options.HttpPort,
            ["tlsPort"] = options.TlsPort,
            ["certificateValidityPeriod"] = (long)options.Validity.TotalSeconds,
            ["externalAccountBindingRequired"] = options.ExternalAccount is not null,
        };
        if (options.ExternalAccount is { } account)
        {
            pebble["externalAccountMACKeys"] = new JsonObject { [account.KeyId] = account.HmacKey };
        }

        var environment = new Dictionary<string, string?>
        {
            ["PEBBLE_WFE_NONCEREJECT"] = options.NonceReject.ToString(CultureInfo.InvariantCulture),
            ["PEBBLE_AUTHZREUSE"] = "0",
            [options.Sleep > 0 ? "PEBBLE_VA_SLEEPTIME" : "PEBBLE_VA_NOSLEEP"] = options.Sleep > 0 ? options.Sleep.ToString(CultureInfo.InvariantCulture) : "1",
        };
        var config = _folder.Write("pebble.json", new JsonObject { ["pebble"] = pebble }.ToJsonString());
        _process = ChildProcess.Start(PeerProgram.Find("pebble", "pebble"), ["-config", config, "-dnsserver", options.Dns.ToString()], environment);
        return await LoopbackPort.WaitUntilOpenAsync(EndPoint, () => _process.HasExited);
    }
}
