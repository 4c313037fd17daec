using System.Net;
using KestrelStream.Acme.Protocol;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.Tests.Acme;

/// <summary>Requests to authorities that do what they should not.</summary>
public sealed class AcmeClientTests : IDisposable
{
    private static readonly Uri Order = new(ScriptedAuthority.Url + "order/1");

    private readonly FakeTimeProvider _clock = new();
    private readonly ScriptedAuthority _authority;
    private readonly AcmeClient _client;

    public AcmeClientTests()
    {
        _authority = new ScriptedAuthority(_clock);
        _client = new AcmeClient(new AcmeHttp(_authority, _clock), new Uri(ScriptedAuthority.Url), AccountKey.Create());
    }

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task Post_NonceIsRejected_IsSentAgainWithTheNonceOfTheRefusal()
    {
        var refusals = 3;
        _authority.Lie = path => path == "/order/1" && refusals-- > 0 ? ScriptedAuthority.Problem(HttpStatusCode.BadRequest, "badNonce") : null;

        Assert.Null((await PostAsync()).Failure);

        Assert.Equal(4, _authority.Requests.Count(request => request == "POST /order/1"));
        Assert.Single(_authority.Requests, request => request == "HEAD /nonce");
    }

    [Fact]
    public async Task Post_EveryNonceIsRejected_Ends()
    {
        _authority.Lie = path => path == "/order/1" ? ScriptedAuthority.Problem(HttpStatusCode.BadRequest, "badNonce") : null;

        var failure = (await PostAsync()).Failure;

        Assert.Contains("badNonce: scripted", failure!.Message, StringComparison.Ordinal);
        Assert.Equal(20, _authority.Requests.Count(request => request == "POST /order/1"));
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest, true)]
    [InlineData(HttpStatusCode.NotFound, true)]
    [InlineData(HttpStatusCode.InternalServerError, false)]
    [InlineData(HttpStatusCode.Redirect, false)]
    public async Task Post_Refused_FailureSaysSo(HttpStatusCode status, bool isRefusal)
    {
        _authority.Lie = path =>
        {
            var response = path == "/order/1" ? ScriptedAuthority.Problem(status, "malformed") : null;
            response?.Headers.Add("Retry-After", "120");
            return response;
        };

        var failure = (await PostAsync()).Failure!;

        Assert.Equal((isRefusal, TimeSpan.FromMinutes(2), "urn:ietf:params:acme:error:malformed"), (failure.IsRefusal, failure.RetryAfter, failure.Type));
    }

    [Fact]
    public async Task Get_EndlessAnswer_IsCut()
    {
        _authority.Lie = _ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(new EndlessStream()) };

        Assert.Contains("longer than", (await _client.GetDirectoryAsync(default)).Failure!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"newNonce\":5}")]
    [InlineData("<html>")]
    public async Task Get_NotTheDocument_IsAFailure(string body)
    {
        _authority.Lie = _ => ScriptedAuthority.Json(HttpStatusCode.OK, body);

        Assert.NotNull((await _client.GetDirectoryAsync(default)).Failure);
    }

    [Fact]
    public async Task Get_NoAnswer_EndsByTheClock()
    {
        using var client = new AcmeClient(new AcmeHttp(new SilentHandler(), _clock), new Uri(ScriptedAuthority.Url), AccountKey.Create());
        var asking = client.GetDirectoryAsync(default);
        Assert.False(asking.IsCompleted);

        _clock.Advance(TimeSpan.FromSeconds(31));

        Assert.Contains("no answer within 30 seconds", (await asking.WaitAsync(Wait.Limit)).Failure!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://acme.test/order")]
    [InlineData("file:///etc/passwd")]
    [InlineData("/order")]
    [InlineData("")]
    [InlineData(null)]
    public void ParseUrl_NotHttps_IsAFailure(string? url) => Assert.NotNull(AcmeHttp.ParseUrl(url, "x").Failure);

    [Fact]
    public async Task Post_ProblemWithControlCharacters_IsOneSafeLine()
    {
        _authority.Lie = path => path == "/order/1"
            ? ScriptedAuthority.Json(HttpStatusCode.BadRequest, $$"""{"type":"x","detail":"a\u001b[31m\r\nb\u202e{{new string('y', 5000)}}"}""")
            : null;

        var message = (await PostAsync()).Failure!.Message;

        Assert.All(message[..^1], c => Assert.InRange(c, ' ', '~'));
        Assert.InRange(message.Length, 100, 600);
    }

    private Task<AcmeResult<AcmeResponse>> PostAsync() => _client.PostAsync(Order, "https://acme.test/account/1", [], default);

    private sealed class SilentHandler : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            throw new InvalidOperationException();
        }
    }

    private sealed class EndlessStream : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            buffer.Span.Fill((byte)' ');
            return ValueTask.FromResult(buffer.Length);
        }
    }
}
