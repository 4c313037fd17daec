using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Model;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelStream.FunctionalTests.Tls;

/// <summary>A route whose certificates are a folder, seen by real clients.</summary>
public sealed class CertificateFolderTests : IDisposable
{
    private static readonly TestCertificates s_authority = TestCertificates.Shared;

    private readonly TempFolder _folder = new();
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Echo();

    public void Dispose()
    {
        _upstream.DisposeAsync().AsTask().Wait(Wait.Limit);
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Names_OfTheFolder_AreShownAndOthersGetTheAlert(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var a = Write("a", s_authority.Issue("a.example.com"));
        var any = Write("any", s_authority.Issue("*.example.com", "other.example.org"));
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine));

        Assert.Equal(a.Leaf.SerialNumber, await SerialAsync(proxy, "a.example.com"));
        Assert.Equal(any.Leaf.SerialNumber, await SerialAsync(proxy, "b.example.com"));
        Assert.Equal(any.Leaf.SerialNumber, await SerialAsync(proxy, "other.example.org"));

        foreach (var name in new[] { "x.b.example.com", "unknown.test", null })
        {
            var before = proxy.Sessions.Count;
            var result = await OpenSslClient.HandshakeAsync(proxy.EndPoint(), name);
            Assert.Contains("unrecognized name", result.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("BEGIN CERTIFICATE", result.Output, StringComparison.Ordinal);
            Assert.Equal(SessionEndReason.ClientTlsFailed, await proxy.EndReasonAsync(before));
        }

        var counted = proxy.Services.GetRequiredService<StreamProxyMetrics>().Readings.Single(reading => reading.Family == MetricFamily.TlsHandshakes).Read();
        Assert.Equal(3, counted.Single(sample => sample.Tags.ToArray().Any(tag => tag.Value is "unknown_name")).Value);
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task UnknownName_CertificateInFront_IsShown_UnlessRejectIsAskedFor(EngineKind engine, TlsEngineKind tlsEngine)
    {
        Write("a", s_authority.Issue("a.example.com"));
        var fallback = s_authority.Issue("fallback.example.com");
        var (path, key) = fallback.WritePem(_folder, "fallback.pem", "fallback.key");
        StreamProxyConfig With(UnknownName? unknownName)
        {
            var config = Config(engine, tlsEngine, tls => tls with { Certificates = ["fallback", "dir"], UnknownName = unknownName });
            return config with { Certificates = new Dictionary<string, CertificateConfig>(config.Certificates) { ["fallback"] = new() { Path = path, KeyPath = key } } };
        }

        await using var proxy = await ProxyEnvironment.StartAsync(With(null));

        Assert.Equal(fallback.Leaf.SerialNumber, await SerialAsync(proxy, "unknown.test"));
        Assert.Equal(fallback.Leaf.SerialNumber, await SerialAsync(proxy, null));
        Assert.NotEqual(fallback.Leaf.SerialNumber, await SerialAsync(proxy, "a.example.com"));

        Assert.True((await proxy.ReloadAsync(With(UnknownName.Reject))).IsApplied);
        Assert.Contains("unrecognized name", (await OpenSslClient.HandshakeAsync(proxy.EndPoint(), "unknown.test")).Error, StringComparison.Ordinal);
        Assert.Equal(fallback.Leaf.SerialNumber, await SerialAsync(proxy, "fallback.example.com"));
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task RsaAndEcdsa_OfOneName_BothServe(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var rsa = Write("rsa", s_authority.Issue(TestKeyType.Rsa2048, ["a.example.com"]));
        var ecdsa = Write("ecdsa", s_authority.Issue("a.example.com"));
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine));

        Assert.Equal(ecdsa.Leaf.SerialNumber, await SerialAsync(proxy, "a.example.com"));
        var old = await OpenSslClient.HandshakeAsync(proxy.EndPoint(), "a.example.com", "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256");
        if (tlsEngine == TlsEngineKind.OpenSsl)
        {
            Assert.Equal(rsa.Leaf.SerialNumber, OpenSslClient.PeerCertificate(old).SerialNumber);
        }
        else
        {
            Assert.Contains("handshake failure", old.Error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Links_SwappedAsCertbotDoes_AreInForceWithinASecond(EngineKind engine, TlsEngineKind tlsEngine)
    {
        Live(1, s_authority.Issue("a.example.com"));
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine));
        await SerialAsync(proxy, "a.example.com");

        var next = s_authority.Issue("a.example.com");
        Live(2, next);
        var swapped = Stopwatch.StartNew();
        while (await ShakeHandsAsync(proxy, "a.example.com") != next.Leaf.SerialNumber)
        {
            Assert.True(swapped.Elapsed < Wait.Limit);
        }

        // A second, and what a machine that is busy with other tests adds to it.
        Assert.InRange(swapped.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(2));
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Files_HalfWrittenMismatchedAddedRemoved_NeverStopTheOthers(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var a = Write("a", s_authority.Issue("a.example.com"));
        Write("b", s_authority.Issue("b.example.com"));
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine));
        var state = proxy.Services.GetRequiredService<IProxyState>();
        var next = s_authority.Issue("a.example.com");

        _folder.Write("certs/a.crt", next.ChainPem[..(next.ChainPem.Length / 2)]);
        await Wait.UntilAsync(() => state.Certificates.Single().Changes.Refused == 1, "half a file to be refused");
        Assert.Equal(a.Leaf.SerialNumber, await SerialAsync(proxy, "a.example.com"));

        _folder.Write("certs/a.crt", next.ChainPem);
        await Wait.UntilAsync(() => state.Certificates.Single().Changes.Refused == 2, "a mismatched pair to be refused");
        Assert.Equal(a.Leaf.SerialNumber, await SerialAsync(proxy, "a.example.com"));
        Assert.Contains("does not match", Assert.Single(state.Certificates.Single().Refused).Reason, StringComparison.Ordinal);

        _folder.Write("certs/a.key", next.KeyPem);
        var added = Write("c", s_authority.Issue("c.example.com"));
        File.Delete(_folder["certs", "b.crt"]);
        await Wait.UntilAsync(() => state.Certificates.Single() is { Count: 2, Refused.Count: 0, Changes.Taken: 2 }, "the folder to be followed");
        Assert.Equal(next.Leaf.SerialNumber, await SerialAsync(proxy, "a.example.com"));
        Assert.Equal(added.Leaf.SerialNumber, await SerialAsync(proxy, "c.example.com"));
        Assert.Contains("unrecognized name", (await OpenSslClient.HandshakeAsync(proxy.EndPoint(), "b.example.com")).Error, StringComparison.Ordinal);
    }

    /// <summary>300 new pairs in 12 s, each of twelve names every 0.5 s, while clients shake hands all the time.</summary>
    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Rotations_UnderHandshakes_NoneFails(EngineKind engine, TlsEngineKind tlsEngine)
    {
        const int Rotations = 300;
        const int Names = 12;
        const int HandshakesPerSecond = 50;
        var issued = new ConcurrentDictionary<string, string>();
        for (var i = 0; i < Names; i++)
        {
            Rotate(i, issued);
        }

        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine));
        using var stop = new CancellationTokenSource();
        var failures = new ConcurrentQueue<string>();
        var handshakes = 0;
        var load = Task.Run(async () =>
        {
            var started = Stopwatch.StartNew();
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                var name = Name(i % Names);
                try
                {
                    if (issued[await ShakeHandsAsync(proxy, name)] != name)
                    {
                        failures.Enqueue($"{name}: another name's certificate");
                    }

                    handshakes++;
                }
                catch (Exception e)
                {
                    failures.Enqueue($"{name}: {e.Message}");
                }

                var ahead = TimeSpan.FromSeconds((double)i / HandshakesPerSecond) - started.Elapsed;
                await Task.Delay(ahead > TimeSpan.Zero ? ahead : TimeSpan.Zero);
            }

            return handshakes / started.Elapsed.TotalSeconds;
        });
        var rotating = Stopwatch.StartNew();
        for (var i = 0; i < Rotations; i++)
        {
            Rotate(i % Names, issued);
            var ahead = TimeSpan.FromMilliseconds(40 * i) - rotating.Elapsed;
            await Task.Delay(ahead > TimeSpan.Zero ? ahead : TimeSpan.Zero);
        }

        var taken = proxy.Services.GetRequiredService<IProxyState>();
        for (var i = 0; i < Names; i++)
        {
            var last = X509Certificate2.CreateFromPem(File.ReadAllText(_folder["certs", $"{i}.crt"])).SerialNumber;
            while (await ShakeHandsAsync(proxy, Name(i)) != last)
            {
                Assert.True(rotating.Elapsed < TimeSpan.FromSeconds(60));
            }
        }

        await stop.CancelAsync();
        var pace = await load.WaitAsync(Wait.Limit);
        Assert.Empty(failures);
        Assert.InRange(taken.Certificates.Single().Changes.Taken, Rotations / 3, Rotations);
        Assert.True(handshakes > 100, $"{pace} handshakes a second");

        static string Name(int number) => $"n{number}.example.com";

        // As careful programs write: under another name, then renamed. Between the two the pair does not match.
        void Rotate(int number, ConcurrentDictionary<string, string> known)
        {
            var certificate = s_authority.Issue(Name(number));
            known[certificate.Leaf.SerialNumber] = Name(number);
            File.Move(_folder.Write($"certs/.{number}.key", certificate.KeyPem), _folder["certs", $"{number}.key"], overwrite: true);
            File.Move(_folder.Write($"certs/.{number}.crt", certificate.ChainPem), _folder["certs", $"{number}.crt"], overwrite: true);
        }
    }

    private static async Task<string> SerialAsync(ProxyEnvironment proxy, string? name)
    {
        using var certificate = OpenSslClient.PeerCertificate(await OpenSslClient.HandshakeAsync(proxy.EndPoint(), name));
        return certificate.SerialNumber;
    }

    /// <summary>In this process, which is faster; the serial number that was shown.</summary>
    private static async Task<string> ShakeHandsAsync(ProxyEnvironment proxy, string name)
    {
        using var socket = await proxy.ConnectAsync();
        await using var ssl = new SslStream(new NetworkStream(socket), false, (_, _, _, _) => true);
        await ssl.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = name, AllowTlsResume = false }).WaitAsync(Wait.Limit);
        var serial = ssl.RemoteCertificate!.GetSerialNumberString();
        await ssl.WriteAsync("x"u8.ToArray());
        return await ssl.ReadAsync(new byte[1]).AsTask().WaitAsync(Wait.Limit) == 1 ? serial : throw new IOException("the session ended");
    }

    private TestCertificate Write(string name, TestCertificate certificate)
    {
        certificate.WritePem(_folder, $"certs/{name}.crt", $"certs/{name}.key");
        return certificate;
    }

    private void Live(int number, TestCertificate certificate)
    {
        certificate.WritePem(_folder, $"archive/a/fullchain{number}.pem", $"archive/a/privkey{number}.pem");
        Directory.CreateDirectory(_folder["certs", "a"]);
        foreach (var file in new[] { "privkey", "fullchain" })
        {
            File.Delete(_folder["certs", "a", file + ".pem"]);
            File.CreateSymbolicLink(_folder["certs", "a", file + ".pem"], $"../../archive/a/{file}{number}.pem");
        }
    }

    private StreamProxyConfig Config(EngineKind engine, TlsEngineKind tlsEngine, Func<RouteTlsConfig, RouteTlsConfig>? tls = null)
        => ProxyEnvironment.OneRoute(engine, _upstream.EndPoint, route => route with
        {
            Tls = (tls ?? (t => t))(new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["dir"] }),
        }) with
        {
            Tls = new TlsConfig { Engine = tlsEngine },
            Certificates = new Dictionary<string, CertificateConfig> { ["dir"] = new() { Directory = _folder["certs"] } },
        };
}
