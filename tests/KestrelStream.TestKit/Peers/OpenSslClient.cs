using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace KestrelStream.TestKit.Peers;

/// <summary>The real <c>openssl s_client</c>.</summary>
public static class OpenSslClient
{
    /// <summary>Makes a handshake and ends the connection: what was agreed is in the output.</summary>
    /// <param name="endPoint">Where to connect.</param>
    /// <param name="serverName">The SNI; null = none.</param>
    /// <param name="more">More options, e.g. <c>-tls1_2</c>.</param>
    public static Task<ProcessResult> HandshakeAsync(IPEndPoint endPoint, string? serverName, params string[] more)
        => ChildProcess.RunAsync(PeerProgram.Find("openssl", "openssl"), Arguments(endPoint, serverName, more));

    /// <summary>Starts a client that stays connected: what is written to its input is sent, what arrives is its output (<c>-quiet</c>).</summary>
    public static ChildProcess Connect(IPEndPoint endPoint, string? serverName, params string[] more)
        => ChildProcess.Start(PeerProgram.Find("openssl", "openssl"), [.. Arguments(endPoint, serverName, more), "-quiet"]);

    /// <summary>The certificate that the server showed in a handshake.</summary>
    public static X509Certificate2 PeerCertificate(ProcessResult handshake)
        => handshake.Output.Contains("BEGIN CERTIFICATE", StringComparison.Ordinal)
            ? X509Certificate2.CreateFromPem(handshake.Output)
            : throw new InvalidOperationException($"No certificate: {handshake}");

    private static string[] Arguments(IPEndPoint endPoint, string? serverName, string[] more)
        => ["s_client", "-connect", endPoint.ToString(), .. serverName is null ? (string[])["-noservername"] : ["-servername", serverName], .. more];
}
