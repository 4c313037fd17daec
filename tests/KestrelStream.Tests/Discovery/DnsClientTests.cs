using System.Net;
using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Discovery;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.Tests.Discovery;

/// <summary>The resolver client against a real name server, and against scripted ones that misbehave.</summary>
public class DnsClientTests
{
    private static readonly DnsQuestion Host = new("db.example.com", DnsType.A);

    [Fact]
    public async Task RunAsync_Host_FindsBothFamiliesWithTheirTtl()
    {
        await using var server = await DnsmasqServer.StartAsync(["10.0.0.2 db.example.com", "10.0.0.1 db.example.com", "2001:db8::1 db.example.com"], ttl: 30);

        var answer = await LookUpAsync("db.example.com:5432", server.EndPoint);

        Assert.Equal(LookupResult.Ok, answer.Result);
        Assert.Equal(["10.0.0.1", "10.0.0.2", "2001:db8::1"], answer.Addresses.Select(member => member.Address.ToString()));
        Assert.Equal(TimeSpan.FromSeconds(30), answer.Ttl);
        Assert.Equal(["A db.example.com", "AAAA db.example.com"], server.Queries.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task RunAsync_NameThatDoesNotExist_IsEmpty()
    {
        await using var server = await DnsmasqServer.StartAsync([]);

        Assert.Equal(LookupResult.Empty, (await LookUpAsync("gone.example.com:1", server.EndPoint)).Result);
        Assert.Equal(LookupResult.Empty, (await LookUpAsync("srv+_gone._tcp.example.com", server.EndPoint)).Result);

        // dnsmasq has nobody to ask about it.
        var refused = await LookUpAsync("www.example.org:1", server.EndPoint);
        Assert.Equal(LookupResult.Failed, refused.Result);
        Assert.Equal($"{server.EndPoint} answered REFUSED", refused.Failure);
    }

    [Fact]
    public async Task RunAsync_Service_FindsPortsPrioritiesAndAddresses()
    {
        await using var server = await DnsmasqServer.StartAsync(
            ["10.0.0.1 db1.example.com", "2001:db8::1 db1.example.com", "10.0.0.2 db2.example.com"],
            ["_pg._tcp.example.com,db2.example.com,5433,20,0", "_pg._tcp.example.com,db1.example.com,5432,10,7", "_pg._tcp.example.com,gone.example.com,1,10,7"]);

        var answer = await LookUpAsync("srv+_PG._tcp.example.com.", server.EndPoint);

        Assert.Equal(
            ["10.0.0.1 5432 10 7 db1.example.com", "2001:db8::1 5432 10 7 db1.example.com", "10.0.0.2 5433 20 0 db2.example.com"],
            answer.Addresses.Select(member => $"{member.Address} {member.Port} {member.Priority} {member.Weight} {member.Target}"));
        Assert.Equal(TimeSpan.FromSeconds(1), answer.Ttl);
    }

    /// <summary>RFC 2782: the root as the only target.</summary>
    [Fact]
    public async Task RunAsync_ServiceIsDecidedlyNotThere_IsAnAnswerWithoutMembers()
    {
        await using var server = new ScriptedNameServer((query, question) =>
            new DnsMessageBuilder(query).Question(question.Name, question.Type).Srv(question.Name, 0, 0, 0, "").Build());

        var answer = await LookUpAsync("srv+_pg._tcp.example.com", server.EndPoint);

        Assert.Equal(LookupResult.Ok, answer.Result);
        Assert.Empty(answer.Addresses);
    }

    /// <summary>A thousand bytes and more of addresses do not fit into a datagram.</summary>
    [Fact]
    public async Task RunAsync_AnswerDoesNotFitADatagram_ComesOverTcp()
    {
        string[] hosts = [.. Enumerable.Range(1, 200).Select(i => $"10.0.0.{i} db.example.com")];
        await using var server = await DnsmasqServer.StartAsync(hosts);

        var answer = await LookUpAsync("db.example.com:1", server.EndPoint);

        Assert.Equal(200, answer.Addresses.Length);
        Assert.Equal(2, server.Queries.Count(query => query == "A db.example.com"));
    }

    [Fact]
    public async Task AskAsync_FirstServerIsDead_AsksTheNext()
    {
        await using var server = await DnsmasqServer.StartAsync(["10.0.0.1 db.example.com"]);
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        // Nobody there, and somebody who does not answer.
        var client = Client(TimeSpan.FromMilliseconds(300), ScriptedUpstream.Nobody(), (IPEndPoint)silent.LocalEndPoint!, server.EndPoint);

        Assert.Single((await client.AskAsync(Host, CancellationToken.None)).Message!.Answers);
    }

    [Fact]
    public async Task AskAsync_NobodyAnswers_FailsInTime()
    {
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        var reply = await Client(TimeSpan.FromMilliseconds(100), (IPEndPoint)silent.LocalEndPoint!).AskAsync(Host, CancellationToken.None).AsTask().WaitAsync(Wait.Limit);

        Assert.Equal($"{silent.LocalEndPoint} does not answer", reply.Failure);
    }

    [Fact]
    public async Task AskAsync_PacketIsLost_AsksAgain()
    {
        var queries = 0;
        await using var server = new ScriptedNameServer((query, question) => queries++ == 0 ? [] : Answer(query, question));

        var reply = await Client(TimeSpan.FromMilliseconds(300), server.EndPoint).AskAsync(Host, CancellationToken.None);

        Assert.Single(reply.Message!.Answers);
        Assert.Equal(2, queries);
    }

    /// <summary>Guesses, from the right address even, before the answer: none of them is believed.</summary>
    [Fact]
    public async Task AskAsync_ForgedAnswersComeFirst_WaitsForTheRightOne()
    {
        await using var server = new ScriptedNameServer(
            (query, question) => new DnsMessageBuilder((ushort)(query + 1)).Question(question.Name, question.Type).A(question.Name, "6.6.6.6").Build(),
            (query, _) => new DnsMessageBuilder(query).Question("other.example.com", DnsType.A).A("other.example.com", "6.6.6.6").Build(),
            (query, _) => [.. DnsMessageBuilder.Bytes(query), 0x81, 0x80, 1],
            (_, _) => [1],
            Answer);

        var reply = await Client(Wait.Limit, server.EndPoint).AskAsync(Host, CancellationToken.None);

        Assert.Equal([IPAddress.Parse("10.0.0.1")], reply.Message!.Answers.Select(record => record.Address));
    }

    /// <summary>Many guesses: asked over TCP, where guessing does not help. Nobody listens there, so it is no answer rather than a wrong one.</summary>
    [Fact]
    public async Task AskAsync_FloodOfForgedAnswers_TurnsToTcp()
    {
        await using var server = new ScriptedNameServer([.. Enumerable.Range(0, 20).Select(_ => (Func<ushort, ScriptedNameServer.Question, byte[]>)((query, question)
            => new DnsMessageBuilder((ushort)(query + 1)).Question(question.Name, question.Type).A(question.Name, "6.6.6.6").Build()))]);

        var reply = await Client(TimeSpan.FromSeconds(10), server.EndPoint).AskAsync(Host, CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(9));

        Assert.Equal($"{server.EndPoint}: ConnectionRefused", reply.Failure);
    }

    [Fact]
    public async Task AskAsync_ServerKnowsNoEdns_AsksWithout()
    {
        await using var server = new ScriptedNameServer((query, question) => question.HasEdns
            ? new DnsMessageBuilder(query, flags: 0x8181).Question(question.Name, question.Type).Build()
            : Answer(query, question));

        Assert.Single((await Client(Wait.Limit, server.EndPoint).AskAsync(Host, CancellationToken.None)).Message!.Answers);
    }

    /// <summary>One family's answer is lost: its addresses of the last lookup stay.</summary>
    [Fact]
    public async Task RunAsync_OneFamilyFails_KeepsWhatItHad()
    {
        var fails = false;
        await using var server = new ScriptedNameServer((query, question)
            => question.Type == DnsType.A ? Answer(query, question)
            : fails ? new DnsMessageBuilder(query, flags: 0x8182).Question(question.Name, question.Type).Build()
            : new DnsMessageBuilder(query).Question(question.Name, question.Type).Aaaa(question.Name, "2001:db8::1").Build());
        var lookup = Lookup("db.example.com:1", Client(Wait.Limit, server.EndPoint));
        Assert.Equal(2, (await lookup.RunAsync(CancellationToken.None)).Addresses.Length);

        fails = true;
        Assert.Equal(2, (await lookup.RunAsync(CancellationToken.None)).Addresses.Length);
        Assert.Equal(2, (await lookup.RunAsync(CancellationToken.None)).Addresses.Length);

        // To somebody who never knew better the other family is all there is.
        Assert.Single((await Lookup("db.example.com:1", Client(Wait.Limit, server.EndPoint)).RunAsync(CancellationToken.None)).Addresses);
    }

    [Fact]
    public void Read_FileChanges_IsReadAgain()
    {
        using var folder = new TempFolder();
        var servers = new NameServers(folder["resolv.conf"]);
        Assert.Equal(["127.0.0.1:53"], servers.Read().Select(server => server.ToString()));

        folder.Write("resolv.conf", "# comment\nsearch example.com\nnameserver 10.0.0.1\nnameserver\t2001:db8::1 \nnameserver nonsense\noptions timeout:1\n");
        Assert.Equal(["10.0.0.1:53", "[2001:db8::1]:53"], servers.Read().Select(server => server.ToString()));

        folder.Write("resolv.conf", "nameserver 10.0.0.3\n");
        Assert.Equal(["10.0.0.3:53"], servers.Read().Select(server => server.ToString()));

        File.Delete(folder["resolv.conf"]);
        Assert.Equal(["127.0.0.1:53"], servers.Read().Select(server => server.ToString()));
    }

    [Theory]
    [InlineData("10.0.0.1", "10.0.0.1:53")]
    [InlineData("10.0.0.1:5353", "10.0.0.1:5353")]
    [InlineData("2001:db8::1", "[2001:db8::1]:53")]
    [InlineData("[2001:db8::1]:5353", "[2001:db8::1]:5353")]
    [InlineData("10.0.0.1:0", null)]
    [InlineData("10.0.0.1:99999", null)]
    [InlineData("ns.example.com", null)]
    [InlineData("1:53", null)]
    [InlineData("", null)]
    public void TryParse_NameServer_TakesAddressesOnly(string text, string? server)
    {
        Assert.Equal(server is not null, NameServers.TryParse(text, out var parsed));
        Assert.Equal(server, parsed?.ToString());
    }

    private static byte[] Answer(ushort query, ScriptedNameServer.Question question)
        => new DnsMessageBuilder(query).Question(question.Name, question.Type).A(question.Name, "10.0.0.1").Build();

    private static DnsClient Client(TimeSpan timeout, params IPEndPoint[] servers)
    {
        var client = new DnsClient(TimeProvider.System, new NameServers("/nowhere"));
        Assert.True(client.Apply(new ResolverConfig { Servers = [.. servers.Select(server => server.ToString())], Timeout = timeout }));
        return client;
    }

    private static NameLookup Lookup(string address, DnsClient client)
    {
        Assert.True(ProxyAddress.TryParseDestination(address, out var name));
        return new NameLookup(name!, new ScriptedNameResolver(), client);
    }

    private static async Task<NameAnswer> LookUpAsync(string address, IPEndPoint server)
        => await Lookup(address, Client(Wait.Limit, server)).RunAsync(CancellationToken.None);
}
