using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using KestrelStream.Configuration;

namespace KestrelStream.Server.Commands.Top;

/// <summary>Reads the API of an admin port, over TCP or a unix socket.</summary>
internal sealed class TopSource : IDisposable
{
    private const int Talkers = 10;

    private readonly HttpClient _client;

    private TopSource(HttpClient client, string name)
    {
        _client = client;
        Name = name;
    }

    /// <summary>Where it reads.</summary>
    public string Name { get; }

    /// <param name="url">Of the admin port, with the prefix of an app that hosts the library.</param>
    public static TopSource? At(string url)
        => Uri.TryCreate(url.EndsWith('/') ? url : url + "/", UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? new TopSource(new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(5) }, url)
            : null;

    /// <param name="address">As the configuration has it.</param>
    public static TopSource? At(AdminConfig? address)
    {
        if (!ProxyAddress.TryParseListen(address?.Address ?? "", out var admin))
        {
            return null;
        }

        if (admin!.Kind == ProxyAddressKind.Unix)
        {
            var handler = new SocketsHttpHandler
            {
                ConnectCallback = async (_, stop) =>
                {
                    var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(admin.Host), stop);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            };
            return new TopSource(new HttpClient(handler) { BaseAddress = new Uri("http://localhost/"), Timeout = TimeSpan.FromSeconds(5) }, "unix:" + admin.Host);
        }

        var host = admin.IsEveryAddress || admin.Kind == ProxyAddressKind.Localhost
            ? "localhost"
            : admin.Ip!.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{admin.Ip}]" : admin.Ip.ToString();
        return At(string.Create(CultureInfo.InvariantCulture, $"http://{host}:{admin.Port}/"));
    }

    /// <exception cref="HttpRequestException">Nobody answers, or not with 200.</exception>
    /// <exception cref="JsonException">The answer is none of this API.</exception>
    public async Task<TopReading> ReadAsync(CancellationToken stop)
    {
        var listeners = await GetAsync("api/listeners", stop);
        var clusters = await GetAsync("api/clusters", stop);
        using var response = await _client.GetAsync(string.Create(CultureInfo.InvariantCulture, $"api/sessions?sort=-rate&limit={Talkers}"), stop);
        response.EnsureSuccessStatusCode();
        var sessions = Parse(await response.Content.ReadAsStringAsync(stop));
        var total = response.Headers.TryGetValues("X-Total-Count", out var values) && int.TryParse(values.First(), out var number) ? number : sessions.GetArrayLength();
        return new TopReading(
            DateTimeOffset.UtcNow,
            [.. listeners.EnumerateArray().Select(Counters)],
            [.. clusters.EnumerateArray().SelectMany(cluster => cluster.GetProperty("destinations").EnumerateArray().Select(member => Member(Text(cluster, "id"), member)))],
            [.. sessions.EnumerateArray().Select(Session)],
            total);
    }

    public void Dispose() => _client.Dispose();

    private static TopReading.Counters Counters(JsonElement line)
        => new(Text(line, "id"), Number(line, "active_sessions"), Number(line, "total_sessions"), Number(line, "bytes_in"), Number(line, "bytes_out"));

    private static TopReading.Member Member(string cluster, JsonElement line) => new(
        cluster,
        Counters(line),
        Text(line, "state"),
        Text(line, "health"),
        line.GetProperty("last_check") is { ValueKind: JsonValueKind.Object } check ? $"{Text(check, "result")} {Text(check, "detail")}" : "",
        Number(line, "dial_failures") + Number(line, "failed_sessions"));

    private static TopReading.Session Session(JsonElement line) => new(
        Text(line, "id"),
        Text(line, "client"),
        Text(line, "sni"),
        Text(line, "cluster") is { Length: > 0 } cluster ? $"{cluster}/{Text(line, "destination")}" : "",
        Fraction(line, "bytes_in_per_second"),
        Fraction(line, "bytes_out_per_second"));

    /// <summary>Without what a terminal would take for a command.</summary>
    private static string Text(JsonElement owner, string key)
        => owner.GetProperty(key) is { ValueKind: JsonValueKind.String } value ? string.Concat(value.GetString()!.Select(c => char.IsControl(c) ? '?' : c)) : "";

    private static long Number(JsonElement owner, string key) => owner.GetProperty(key).GetInt64();

    private static double Fraction(JsonElement owner, string key) => owner.GetProperty(key) is { ValueKind: JsonValueKind.Number } value ? value.GetDouble() : 0;

    private static JsonElement Parse(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.ValueKind == JsonValueKind.Array ? document.RootElement.Clone() : throw new JsonException("It is not a list.");
    }

    private async Task<JsonElement> GetAsync(string path, CancellationToken stop) => Parse(await _client.GetStringAsync(path, stop));
}
