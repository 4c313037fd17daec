using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using KestrelStream.Tls;

namespace KestrelStream.Tests.Tls;

/// <summary>A server on a free port that shakes hands under a policy, says <c>hello</c> and waits for the client to leave. Stopped on dispose.</summary>
internal sealed class PolicyServer : IAsyncDisposable
{
    public const string Greeting = "hello from the policy server";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly TlsPolicy _policy;
    private readonly string? _serverName;
    private readonly Task _accepting;

    /// <param name="policy">Chooses the options of every connection.</param>
    /// <param name="serverName">What the proxy's own parser would have found.</param>
    public PolicyServer(TlsPolicy policy, string? serverName = null)
    {
        _policy = policy;
        _serverName = serverName;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Lets <c>openssl s_client</c> connect until it was greeted or turned away; everything it says.</summary>
    public async Task<string> ConnectAsync(params string[] arguments)
    {
        var (_, output) = await OpenSslCommand.RunAsync(
            ["s_client", "-connect", $"127.0.0.1:{Port}", .. arguments],
            async (_, text) =>
            {
                // Tickets come before the greeting, so the session is complete by then.
                for (var i = 0; i < 500 && !text().Contains(Greeting, StringComparison.Ordinal) && !text().Contains(":error:", StringComparison.Ordinal); i++)
                {
                    await Task.Delay(10);
                }
            });
        return output;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        var sessions = new List<Task>();
        try
        {
            while (true)
            {
                sessions.Add(ServeAsync(await _listener.AcceptSocketAsync(_stopping.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(sessions);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        await using var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        try
        {
            await stream.AuthenticateAsServerAsync(_policy.Choose(_serverName)!.Options, _stopping.Token);
            await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(Greeting + "\n"), _stopping.Token);
            while (await stream.ReadAsync(new byte[1024], _stopping.Token) > 0)
            {
            }
        }
        catch (Exception e) when (e is AuthenticationException or IOException or OperationCanceledException)
        {
            // What the client saw is what counts.
        }
    }
}
