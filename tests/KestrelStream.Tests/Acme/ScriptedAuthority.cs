using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace KestrelStream.Tests.Acme;

/// <summary>
/// An ACME authority in memory, for what a real one cannot be made to do: suggestions when to renew, lies, endless answers. It asks for no proof: every
/// authorization is valid.
/// </summary>
internal sealed class ScriptedAuthority : HttpMessageHandler
{
    public const string Url = "https://acme.test/";

    private readonly TimeProvider _time;
    private readonly ECDsa _issuerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _issuer;
    private readonly List<string> _requests = [];
    private int _nonce;
    private string _chain = "";
    private string _status = "ready";

    public ScriptedAuthority(TimeProvider time)
    {
        _time = time;
        var request = new CertificateRequest("CN=Scripted Authority", _issuerKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        _issuer = request.CreateSelfSigned(time.GetUtcNow().AddDays(-1000), time.GetUtcNow().AddDays(10_000));
    }

    /// <summary>Path of every request, with <c>POST</c> or another method before it.</summary>
    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (_requests)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>Payloads of POSTs to a path, decoded.</summary>
    public List<(string Path, string Payload)> Payloads { get; } = [];

    /// <summary>Of the certificates it issues.</summary>
    public TimeSpan Life { get; set; } = TimeSpan.FromDays(90);

    /// <summary>Null = it makes no suggestions.</summary>
    public (DateTimeOffset Start, DateTimeOffset End)? Window { get; set; }

    /// <summary>Answers a path in its own way; null = as an authority does.</summary>
    public Func<string, HttpResponseMessage?> Lie { get; set; } = _ => null;

    public static HttpResponseMessage Json(HttpStatusCode status, string json) => new(status) { Content = new StringContent(json, Encoding.UTF8, "application/json") };

    public static HttpResponseMessage Problem(HttpStatusCode status, string type) => Json(status, $$"""{"type":"urn:ietf:params:acme:error:{{type}}","detail":"scripted"}""");

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = request.RequestUri!.AbsolutePath;
        lock (_requests)
        {
            _requests.Add($"{request.Method} {path}");
        }

        var payload = "";
        if (request.Content is not null)
        {
            using var body = JsonDocument.Parse(await request.Content.ReadAsStringAsync(cancellationToken));
            payload = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(body.RootElement.GetProperty("payload").GetString()));
            Payloads.Add((path, payload));
        }

        var response = Lie(path) ?? Answer(path, payload);
        response.Headers.Add("Replay-Nonce", $"nonce{Interlocked.Increment(ref _nonce)}");
        return response;
    }

    private HttpResponseMessage Answer(string path, string payload)
    {
        switch (path)
        {
            case "/":
                var renewals = Window is null ? "" : $",\"renewalInfo\":\"{Url}renewal\"";
                return Json(HttpStatusCode.OK, $$"""{"newNonce":"{{Url}}nonce","newAccount":"{{Url}}account","newOrder":"{{Url}}order"{{renewals}}}""");
            case "/nonce":
                return new HttpResponseMessage(HttpStatusCode.OK);
            case "/account":
                return Located(Json(HttpStatusCode.Created, "{}"), "account/1");
            case "/order":
                _status = "ready";
                return Located(Json(HttpStatusCode.Created, Order()), "order/1");
            case "/finalize":
                Issue(payload);
                _status = "valid";
                return Json(HttpStatusCode.OK, Order());
            case "/order/1":
                return Json(HttpStatusCode.OK, Order());
            case "/certificate":
                return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(_chain) };
            case { } when path.StartsWith("/renewal/", StringComparison.Ordinal):
                return Json(HttpStatusCode.OK, $$$"""{"suggestedWindow":{"start":"{{{Text(Window!.Value.Start)}}}","end":"{{{Text(Window.Value.End)}}}"}}""");
            default:
                return Problem(HttpStatusCode.NotFound, "malformed");
        }
    }

    private static string Text(DateTimeOffset time) => time.ToString("o", CultureInfo.InvariantCulture);

    private static HttpResponseMessage Located(HttpResponseMessage response, string where)
    {
        response.Headers.Location = new Uri(Url + where);
        return response;
    }

    private string Order() => $$"""{"status":"{{_status}}","authorizations":[],"finalize":"{{Url}}finalize","certificate":"{{Url}}certificate"}""";

    private void Issue(string payload)
    {
        using var document = JsonDocument.Parse(payload);
        var request = CertificateRequest.LoadSigningRequest(
            Base64Url.DecodeFromChars(document.RootElement.GetProperty("csr").GetString()), HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_issuer, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var now = _time.GetUtcNow();
        using var leaf = request.Create(_issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(_issuerKey), now, now + Life, RandomNumberGenerator.GetBytes(12));
        _chain = leaf.ExportCertificatePem() + "\n" + _issuer.ExportCertificatePem() + "\n";
    }
}
