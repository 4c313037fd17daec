using System.Data;
using System.Diagnostics;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Npgsql;
using Xunit;

namespace KestrelStream.FunctionalTests.Samples;

/// <summary>samples/postgres-ha: two real servers, one of which dies, and more clients than they take.</summary>
public sealed class PostgresHaTests : IAsyncLifetime
{
    private const int SigCont = 18;
    private const int SigStop = 19;

    private readonly List<PostgresServer> _databases = [];
    private ServerProcess? _server;

    public async Task InitializeAsync()
    {
        _databases.AddRange(await Task.WhenAll(PostgresServer.StartAsync("first"), PostgresServer.StartAsync("second")));
        _server = await Sample.StartServerAsync("postgres-ha", new()
        {
            ["StreamProxy:Admin:Address"] = "127.0.0.1:0",
            ["StreamProxy:Listeners:public:Address"] = "127.0.0.1:0",
            ["StreamProxy:Clusters:db:Destinations:first:Address"] = _databases[0].EndPoint.ToString(),
            ["StreamProxy:Clusters:db:Destinations:second:Address"] = _databases[1].EndPoint.ToString(),
        });
    }

    public async Task DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        foreach (var database in _databases)
        {
            await database.DisposeAsync();
        }
    }

    [Fact]
    public async Task FirstDies_ItsSessionsAreCut_AndNewOnesGoToTheSecond()
    {
        await using var running = await OpenAsync();
        Assert.Equal("first", await AskAsync(running));

        // Held, not killed: what serves the running session goes on answering, and nothing but the checks can find out.
        _databases[0].Process.Signal(SigStop);
        await Wait.UntilAsync(() => running.FullState.HasFlag(ConnectionState.Broken) || !Answers(running), "the running session to be cut", TimeSpan.FromMilliseconds(100));
        await using (var next = await OpenAsync())
        {
            Assert.Equal("second", await AskAsync(next));
        }

        _databases[0].Process.Signal(SigCont);
        var watch = Stopwatch.StartNew();
        var answer = "";
        while (answer != "first" && watch.Elapsed < Wait.Limit)
        {
            await using var later = await OpenAsync();
            answer = await AskAsync(later);
        }

        Assert.Equal("first", answer);
    }

    [Fact]
    public async Task BothFull_ClientsWaitForAPlace()
    {
        var open = new List<NpgsqlConnection>();
        try
        {
            for (var i = 0; i < 40; i++)
            {
                open.Add(await OpenAsync());
            }

            var waiting = OpenAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(300));
            Assert.False(waiting.IsCompleted);

            await open[0].DisposeAsync();
            await using var served = await waiting.WaitAsync(Wait.Limit);
            Assert.Equal("first", await AskAsync(served));
        }
        finally
        {
            foreach (var connection in open)
            {
                await connection.DisposeAsync();
            }
        }
    }

    private async Task<NpgsqlConnection> OpenAsync()
    {
        var endPoint = _server!.Listener("public");
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder
        {
            Host = endPoint.Address.ToString(),
            Port = endPoint.Port,
            Username = "postgres",
            SslMode = SslMode.Disable,
            Pooling = false,
            Timeout = 20,
        }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    private static bool Answers(NpgsqlConnection connection)
    {
        try
        {
            using var command = new NpgsqlCommand("SELECT 1", connection);
            return command.ExecuteScalar() is 1;
        }
        catch (Exception e) when (e is NpgsqlException or IOException or InvalidOperationException)
        {
            return false;
        }
    }

    private static async Task<string> AskAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("SHOW cluster_name", connection);
        return (string)(await command.ExecuteScalarAsync())!;
    }
}
