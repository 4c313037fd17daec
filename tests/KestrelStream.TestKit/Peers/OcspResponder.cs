using System.Text.RegularExpressions;

namespace KestrelStream.TestKit.Peers;

/// <summary>A real <c>openssl ocsp</c> that answers for the intermediate of a <see cref="TestCertificates"/> or a <see cref="TestClientAuthority"/>.</summary>
public sealed class OcspResponder : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private ChildProcess? _process;

    private OcspResponder(string issuerPem, string issuerKeyPem)
    {
        _folder.Write("issuer.pem", issuerPem);
        _folder.Write("issuer.key", issuerKeyPem);
    }

    public string Url { get; private set; } = "";

    /// <param name="authority">Whose intermediate has issued the certificates.</param>
    /// <param name="good">Certificates that are not revoked.</param>
    /// <param name="revoked">Those that are; others are unknown.</param>
    /// <param name="validMinutes">For how long an answer is good.</param>
    public static Task<OcspResponder> StartAsync(TestCertificates authority, TestCertificate[] good, TestCertificate[]? revoked = null, int validMinutes = 60)
        => StartAsync(new OcspResponder(authority.Intermediate.ExportCertificatePem(), authority.IntermediateKeyPem), good, revoked, validMinutes);

    /// <inheritdoc cref="StartAsync(TestCertificates, TestCertificate[], TestCertificate[], int)"/>
    public static Task<OcspResponder> StartAsync(TestClientAuthority authority, TestCertificate[] good, TestCertificate[]? revoked = null, int validMinutes = 60)
        => StartAsync(new OcspResponder(authority.IntermediatePem, authority.IntermediateKeyPem), good, revoked, validMinutes);

    private static async Task<OcspResponder> StartAsync(OcspResponder responder, TestCertificate[] good, TestCertificate[]? revoked, int validMinutes)
    {
        responder.WriteIndex(good, revoked ?? []);
        try
        {
            await responder.StartAsync(validMinutes);
        }
        catch
        {
            await responder.DisposeAsync();
            throw;
        }

        return responder;
    }

    /// <summary>An answer without a responder, in DER.</summary>
    /// <param name="authority">Whose intermediate has issued the certificate.</param>
    /// <param name="certificate">That it is about.</param>
    /// <param name="isRevoked">What it says.</param>
    /// <param name="signer">Who signs, with its key; null = the authority's intermediate.</param>
    public static async Task<byte[]> AnswerAsync(TestCertificates authority, TestCertificate certificate, bool isRevoked = false, TestCertificates? signer = null)
    {
        await using var responder = new OcspResponder(authority.Intermediate.ExportCertificatePem(), authority.IntermediateKeyPem);
        var folder = responder._folder;
        responder.WriteIndex(isRevoked ? [] : [certificate], isRevoked ? [certificate] : []);
        folder.Write("leaf.pem", certificate.LeafPem);
        folder.Write("signer.pem", (signer ?? authority).Intermediate.ExportCertificatePem());
        folder.Write("signer.key", (signer ?? authority).IntermediateKeyPem);
        var result = await ChildProcess.RunAsync(
            PeerProgram.Find("openssl", "openssl"),
            [
                "ocsp", "-index", "index.txt", "-CA", "issuer.pem", "-rsigner", "signer.pem", "-rkey", "signer.key", "-nmin", "60",
                "-issuer", "issuer.pem", "-cert", "leaf.pem", "-respout", "answer.der", "-noverify",
            ],
            folder: folder.Path);
        return result.ExitCode == 0 ? await File.ReadAllBytesAsync(folder["answer.der"]) : throw new InvalidOperationException(result.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _folder.Dispose();
    }

    private void WriteIndex(TestCertificate[] good, TestCertificate[] revoked)
    {
        const string Ends = "400101000000Z";
        _folder.Write(
            "index.txt",
            string.Concat(good.Select(certificate => $"V\t{Ends}\t\t{certificate.Leaf.SerialNumber}\tunknown\t/CN={certificate.Leaf.SerialNumber}\n"))
            + string.Concat(revoked.Select(certificate => $"R\t{Ends}\t250101000000Z\t{certificate.Leaf.SerialNumber}\tunknown\t/CN={certificate.Leaf.SerialNumber}\n")));
    }

    private async Task StartAsync(int validMinutes)
    {
        _process = ChildProcess.Start(
            PeerProgram.Find("openssl", "openssl"),
            [
                "ocsp", "-port", "0", "-index", "index.txt", "-CA", "issuer.pem", "-rsigner", "issuer.pem", "-rkey", "issuer.key",
                "-nmin", $"{validMinutes}", "-ignore_err",
            ],
            folder: _folder.Path);

        // Not by a connection: it would wait for the question of that one for ever.
        await Wait.UntilAsync(() => _process.HasExited || Port().Success, "openssl ocsp");
        Url = Port() is { Success: true } port ? $"http://127.0.0.1:{port.Groups[1]}/" : throw new InvalidOperationException($"openssl ocsp has not started:\n{_process.Error.Text}");

        Match Port() => Regex.Match(_process.Output.Text, @"^ACCEPT .*:(\d+)\b", RegexOptions.Multiline);
    }
}
