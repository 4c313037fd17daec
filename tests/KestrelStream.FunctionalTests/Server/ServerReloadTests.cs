using System.Net;
using System.Net.Sockets;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Server;

/// <summary>SIGHUP, changes of the file, and files with mistakes, on the running program.</summary>
public sealed class ServerReloadTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly ScriptedUpstream _one = Saying("one");
    private readonly ScriptedUpstream _two = Saying("two");

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _one.DisposeAsync();
        await _two.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Hangup_ChangedFile_NewSessionsUseItAndOldOnesStay()
    {
        await using var server = await StartAsync();
        using var old = await ConnectAsync(server);
        Assert.Equal("one", await AskAsync(old));

        // Replaced by a rename, as editors and deployments do.
        File.Move(_folder.Write("new.json", ServerConfig.OneRoute(_two.EndPoint)), _folder["appsettings.json"], overwrite: true);
        Assert.True(await server.ReloadAsync(), server.Error.Text);

        using var young = await ConnectAsync(server);
        Assert.Equal("two", await AskAsync(young));
        Assert.Equal("one", await AskAsync(old));
    }

    [Fact]
    public async Task File_Changes_IsReloadedByItself()
    {
        await using var server = await StartAsync();
        var seen = server.Error.Lines.Count;

        _folder.Write("appsettings.json", ServerConfig.OneRoute(_two.EndPoint));

        Assert.True(await server.WaitForReloadAsync(seen), server.Error.Text);
        using var client = await ConnectAsync(server);
        Assert.Equal("two", await AskAsync(client));
    }

    [Fact]
    public async Task Hangup_FileWithMistakes_ChangesNothingAndLogsAll()
    {
        await using var server = await StartAsync();
        using var old = await ConnectAsync(server);
        Assert.Equal("one", await AskAsync(old));

        _folder.Write("appsettings.json", ServerConfig.OneRoute(_two.EndPoint, "\"Colour\": \"red\", \"Engine\": \"Steam\","));
        Assert.False(await server.ReloadAsync());
        await server.Error.WaitForAsync(line => line.Contains("StreamProxy:Colour: ", StringComparison.Ordinal), Wait.Limit);
        await server.Error.WaitForAsync(line => line.Contains("StreamProxy:Engine: ", StringComparison.Ordinal), Wait.Limit);

        _folder.Write("appsettings.json", "{ \"StreamProxy\": ");
        Assert.False(await server.ReloadAsync());

        using var young = await ConnectAsync(server);
        Assert.Equal("one", await AskAsync(young));
        Assert.Equal("one", await AskAsync(old));

        // Put right again, it is taken.
        _folder.Write("appsettings.json", ServerConfig.OneRoute(_two.EndPoint));
        Assert.True(await server.ReloadAsync());
        using var last = await ConnectAsync(server);
        Assert.Equal("two", await AskAsync(last));
    }

    [Fact]
    public async Task Hangup_NewPortInUse_ChangesNothingAndNamesIt()
    {
        await using var server = await StartAsync();
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();

        _folder.Write("appsettings.json", ServerConfig.OneRoute(_two.EndPoint).Replace(
            "\"Listeners\": {", $"\"Listeners\": {{ \"more\": {{ \"Address\": \"{other.LocalEndPoint}\" }},", StringComparison.Ordinal));
        Assert.False(await server.ReloadAsync());

        Assert.NotNull(await server.Error.WaitForAsync(
            line => line.Contains("StreamProxy:Listeners:more:Address: ", StringComparison.Ordinal) && line.Contains(other.LocalEndPoint!.ToString()!, StringComparison.Ordinal), Wait.Limit));
        using var client = await ConnectAsync(server);
        Assert.Equal("one", await AskAsync(client));
    }

    private static async Task<Socket> ConnectAsync(ServerProcess server)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.Listener("public"));
        return socket;
    }

    private static async Task<string> AskAsync(Socket socket)
    {
        await socket.SendAllAsync("?"u8.ToArray());
        return System.Text.Encoding.ASCII.GetString(await socket.ReceiveExactlyAsync(3));
    }

    /// <summary>Answers each byte with its name.</summary>
    private static ScriptedUpstream Saying(string name) => new(async socket =>
    {
        var buffer = new byte[1];
        while (await socket.ReceiveAsync(buffer) > 0)
        {
            await socket.SendAllAsync(System.Text.Encoding.ASCII.GetBytes(name));
        }
    });

    private Task<ServerProcess> StartAsync()
        => ServerProcess.StartAsync(new ServerOptions { ConfigPath = _folder.Write("appsettings.json", ServerConfig.OneRoute(_one.EndPoint)) });
}
