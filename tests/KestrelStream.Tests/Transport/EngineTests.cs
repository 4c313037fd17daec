using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.Transport;
using Microsoft.AspNetCore.Connections;
using Xunit;

namespace KestrelStream.Tests.Transport;

/// <summary>What every engine does alike, seen from its own seams.</summary>
public sealed class EngineTests
{
    [Theory]
    [MemberData(nameof(TransportHarness.Engines), MemberType = typeof(TransportHarness))]
    public async Task Accept_EveryAddressKind_PeerIsKnown(EngineKind engine)
    {
        foreach (var address in new[] { "127.0.0.1:0", "[::1]:0", "*:0" })
        {
            await using var harness = await TransportHarness.StartAsync(engine, serve: session => Task.CompletedTask, address: address);
            var port = ((IPEndPoint)harness.EndPoint).Port;
            using var client = await harness.ConnectAsync(new IPEndPoint(address[0] == '[' ? IPAddress.IPv6Loopback : IPAddress.Loopback, port));

            var session = await harness.SessionAsync();
            var peer = (IPEndPoint)session.Client.RemoteEndPoint!;
            var local = (IPEndPoint)client.LocalEndPoint!;
            Assert.Equal(local.Port, peer.Port);
            Assert.Equal(address[0] == '*' ? local.Address.MapToIPv6() : local.Address, peer.Address);
            Assert.Equal(harness.EndPoint, session.Client.LocalEndPoint);
        }
    }

    [Theory]
    [MemberData(nameof(TransportHarness.Engines), MemberType = typeof(TransportHarness))]
    public async Task Bind_SomeoneListensThere_IsInUse(EngineKind engine)
    {
        foreach (var reusePort in new[] { false, true })
        {
            using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            if (reusePort)
            {
                // SOL_SOCKET, SO_REUSEPORT: would let us in, silently, if we asked for it at bind.
                other.SetRawSocketOption(1, 15, BitConverter.GetBytes(1));
            }

            other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            other.Listen();

            await Assert.ThrowsAsync<AddressInUseException>(() => TransportHarness.StartAsync(engine, address: other.LocalEndPoint!.ToString()!));
        }
    }

    [Theory]
    [MemberData(nameof(TransportHarness.Engines), MemberType = typeof(TransportHarness))]
    public async Task Bind_OursListensThere_IsInUse_AndFreeAfterUnbind(EngineKind engine)
    {
        // An address of its own: between the two binds an outgoing connection of anybody here could take a port of 127.0.0.1.
        await using var harness = await TransportHarness.StartAsync(engine, address: "127.31.7.1:0");
        var address = harness.EndPoint.ToString()!;

        await Assert.ThrowsAsync<AddressInUseException>(() => harness.BindAsync(address));
        await harness.UnbindAsync();
        var again = await harness.BindAsync(address);
        await again.UnbindAsync();
    }

    [Theory]
    [MemberData(nameof(TransportHarness.Engines), MemberType = typeof(TransportHarness))]
    public async Task Connect_ToNobody_SaysWhy(EngineKind engine)
    {
        var results = new TaskCompletionSource<(ConnectStatus Tcp, ConnectStatus Unix)>();
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await using var harness = await TransportHarness.StartAsync(engine, serve: async session =>
        {
            results.SetResult((await DialAsync(session, ScriptedUpstream.Nobody()), await DialAsync(session, new UnixDomainSocketEndPoint(path))));
        });
        using var client = await harness.ConnectAsync();

        Assert.Equal((ConnectStatus.Refused, ConnectStatus.AddressNotAvailable), await results.Task.WaitAsync(Wait.Limit));
    }

    [Theory]
    [MemberData(nameof(TransportHarness.Engines), MemberType = typeof(TransportHarness))]
    public async Task Connect_ResetByAnotherThread_IsAborted(EngineKind engine)
    {
        // A queue of one that is full: the kernel drops what comes next, and the dial waits.
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        var clients = Enumerable.Range(0, 4).Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false }).ToList();
        clients.ForEach(c => Assert.ThrowsAny<SocketException>(() => c.Connect(full.LocalEndPoint!)));

        var result = new TaskCompletionSource<ConnectStatus>();
        await using var harness = await TransportHarness.StartAsync(engine, serve: async session =>
        {
            session.Upstream = session.Environment.CreateUpstream(full.LocalEndPoint!);
            session.Enter(SessionPhase.Dial, TimeSpan.FromSeconds(60));
            result.SetResult(await session.Environment.ConnectAsync(session.Upstream!, full.LocalEndPoint!));
        });
        using var client = await harness.ConnectAsync();
        var session = await harness.SessionAsync();
        await Wait.UntilAsync(() => session.Phase == SessionPhase.Dial, "the dial");

        session.Abort(SessionEndReason.ClosedByOperator);

        Assert.Equal(ConnectStatus.Aborted, await result.Task.WaitAsync(Wait.Limit));
        Assert.True(await client.EndsWithResetAsync());
        clients.ForEach(c => c.Dispose());
    }

    [Theory]
    [MemberData(nameof(TransportHarness.Engines), MemberType = typeof(TransportHarness))]
    public async Task Operations_FromTheThreadPool_Work(EngineKind engine)
    {
        var bytes = RandomNumberGenerator.GetBytes(3_000_000);
        await using var harness = await TransportHarness.StartAsync(engine, serve: session => Task.Run(async () =>
        {
            var buffer = new byte[50_000];
            Assert.Equal(IOStatus.Ok, await session.Client.WaitToReceiveAsync());

            // Off the loop, with bytes that are there already.
            await Task.Yield();
            while (await session.Client.ReceiveAsync(buffer) is { IsOk: true, Count: > 0 } received)
            {
                await Task.Yield();
                Assert.Equal(received.Count, (await session.Client.SendAsync(buffer.AsMemory(0, received.Count))).Count);
            }

            Assert.Equal(IOStatus.Ok, await session.Client.ShutdownSendAsync());
        }));
        using var client = await harness.ConnectAsync();

        var sending = client.SendAllAsync(bytes).ContinueWith(_ => client.Shutdown(SocketShutdown.Send), TaskScheduler.Default);

        Assert.Equal(SHA256.HashData(bytes), SHA256.HashData(await client.ReceiveToEndAsync()));
        await sending;
    }

    [Theory]
    [MemberData(nameof(TransportHarness.Engines), MemberType = typeof(TransportHarness))]
    public async Task Abort_FromAnotherThread_ResetsBothSides(EngineKind engine)
    {
        var accepted = new TaskCompletionSource<Socket>();
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            accepted.SetResult(socket);
            Assert.True(await socket.EndsWithResetAsync());
        });
        await using var harness = await TransportHarness.StartAsync(engine, upstream.EndPoint);
        using var client = await harness.ConnectAsync();
        await client.SendAllAsync(new byte[10]);
        await accepted.Task.WaitAsync(Wait.Limit);
        var session = await harness.SessionAsync();
        await Wait.UntilAsync(() => session.BytesIn == 10, "the relay");

        session.Abort(SessionEndReason.ClosedByOperator);

        Assert.True(await client.EndsWithResetAsync());
        await harness.EndedAsync(session);
        Assert.Equal(SessionEndReason.ClosedByOperator, session.EndReason);
        Assert.Null(upstream.Failure);
    }

    [Theory]
    [MemberData(nameof(TransportHarness.Engines), MemberType = typeof(TransportHarness))]
    public async Task UpstreamResets_WhileItsAnswerWaitsForASlowClient_AnswerArrives(EngineKind engine)
    {
        var answer = RandomNumberGenerator.GetBytes(900_000);
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            // Small buffers here and slow reading there: the answer is under way in every buffer when the reset comes.
            await socket.SendAllAsync(answer);
            await Task.Delay(300);
            socket.Reset();
        });
        await using var harness = await TransportHarness.StartAsync(engine, upstream.EndPoint);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await client.ConnectAsync(harness.EndPoint);
        var session = await harness.SessionAsync();

        await Task.Delay(100);
        var received = await client.ReceiveExactlyAsync(400_000);

        Assert.True(answer.AsSpan(0, received.Length).SequenceEqual(received));
        while (session.BytesOut < answer.Length && await client.ReceiveAsync(new byte[8192]) > 0)
        {
        }

        Assert.Equal(answer.Length, session.BytesOut);
        await harness.EndedAsync(session);
        Assert.Equal(SessionEndReason.UpstreamReset, session.EndReason);
    }

    [Theory]
    [MemberData(nameof(TransportHarness.Engines), MemberType = typeof(TransportHarness))]
    public async Task Descriptors_AreUsedUp_AcceptingPausesAndGoesOn(EngineKind engine)
    {
        // (40 - 16 kept) / 2 = 12 sessions at once.
        await using var upstream = ScriptedUpstream.Echo();
        await using var harness = await TransportHarness.StartAsync(engine, upstream.EndPoint, descriptors: new DescriptorBudget(limit: 40, openAtStart: 0));
        var clients = new List<Socket>();
        for (var i = 0; i < 20; i++)
        {
            clients.Add(await harness.ConnectAsync());
        }

        await Wait.UntilAsync(() => harness.Sessions.Count == 12, "twelve sessions");
        await Task.Delay(1500);

        // Each warning tells how many pauses were not logged: a loop that spins would count thousands.
        Assert.Equal(12, harness.Sessions.Count);
        var warnings = harness.Log.Events.Where(e => e.Id == KestrelStream.Diagnostics.EventIds.AcceptPaused).ToList();
        Assert.InRange(warnings.Count, 1, 6);
        Assert.All(warnings, w => Assert.InRange(int.Parse(Regex.Match(w.Message, @"\((\d+) pauses not logged\)").Groups[1].Value), 0, 30));

        foreach (var client in clients)
        {
            await client.SendAllAsync("x"u8.ToArray());
            Assert.Equal("x"u8.ToArray(), await client.ReceiveExactlyAsync(1));
            client.Dispose();
        }
    }

    [Theory]
    [MemberData(nameof(TransportHarness.Engines), MemberType = typeof(TransportHarness))]
    public async Task ThousandsOfShortConnections_ClosedFromBothSides_EachSeesItsOwnBytes(EngineKind engine)
    {
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            // The first byte says how to end: who closes first, and how.
            var request = await socket.ReceiveExactlyAsync(16);
            await socket.SendAllAsync(request);
            switch (request[0] % 4)
            {
                case 0:
                    socket.Shutdown(SocketShutdown.Send);
                    await socket.ReceiveAsync(new byte[1]);
                    break;

                case 1:
                    await Task.Delay(1);
                    socket.Reset();
                    break;

                default:
                    await EndOfAsync(socket);
                    break;
            }
        });
        await using var harness = await TransportHarness.StartAsync(engine, upstream.EndPoint);
        var next = 0;

        async Task ClientsAsync(int seed)
        {
            var random = new Random(seed);
            while (Interlocked.Increment(ref next) is var number && number <= 4000)
            {
                var client = await harness.ConnectAsync();
                var request = new byte[16];
                random.NextBytes(request);
                BitConverter.TryWriteBytes(request.AsSpan(8), number);
                await client.SendAllAsync(request);

                // A reset may overtake the answer; a wrong answer may never come.
                var answer = new byte[16];
                var got = await ReceiveUpToAsync(client, answer);
                Assert.Equal(request.AsSpan(0, got), answer.AsSpan(0, got));
                Assert.True(got == 16 || request[0] % 4 == 1, $"{got} bytes");
                if (request[0] % 4 == 2)
                {
                    client.Reset();
                }

                client.Dispose();
            }
        }

        await Task.WhenAll(Enumerable.Range(0, 16).Select(ClientsAsync)).WaitAsync(TimeSpan.FromMinutes(2));

        await Wait.UntilAsync(() => harness.Sessions.All(s => s.Phase == SessionPhase.Closed), "the end of all sessions");
        Assert.Equal(4000, harness.Sessions.Count);
        Assert.All(harness.Sessions, s => Assert.InRange(s.BytesIn, 0, 16));
        Assert.DoesNotContain(harness.Log.Events, e => e.Level >= Microsoft.Extensions.Logging.LogLevel.Error);
    }

    [Theory]
    [MemberData(nameof(TransportHarness.Engines), MemberType = typeof(TransportHarness))]
    public async Task BulkBothWays_WithPausesAndSmallPieces_EveryByteArrives(EngineKind engine)
    {
        var bytes = RandomNumberGenerator.GetBytes(24_000_000);
        var uploaded = new TaskCompletionSource<(long, string)>();
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            // Slow at times: the proxy holds what it has moved so far.
            var count = 0;
            var sending = SendInTurnsAsync(socket, bytes, seed: 1);
            uploaded.SetResult(await socket.HashToEndAsync(() => ++count % 100 == 0 ? Task.Delay(20) : Task.CompletedTask));
            await sending;
        });
        await using var harness = await TransportHarness.StartAsync(engine, upstream.EndPoint);
        using var client = await harness.ConnectAsync();

        var turn = 0;
        var downloading = client.HashToEndAsync(() => ++turn % 150 == 0 ? Task.Delay(20) : Task.CompletedTask);
        await SendInTurnsAsync(client, bytes, seed: 2);

        var expected = ((long)bytes.Length, Convert.ToHexString(SHA256.HashData(bytes)));
        Assert.Equal(expected, await downloading);
        Assert.Equal(expected, await uploaded.Task.WaitAsync(Wait.Limit));
        var session = await harness.SessionAsync();
        await harness.EndedAsync(session);
        Assert.Equal((SessionEndReason.Completed, bytes.Length, bytes.Length), (session.EndReason, session.BytesIn, session.BytesOut));
    }

    /// <summary>Megabytes at once, then a spell of small messages, and so on; FIN at the end.</summary>
    private static async Task SendInTurnsAsync(Socket socket, ReadOnlyMemory<byte> bytes, int seed)
    {
        var random = new Random(seed);
        while (!bytes.IsEmpty)
        {
            var isBulk = random.Next(4) != 0;
            var count = Math.Min(bytes.Length, isBulk ? random.Next(3_000_000) : random.Next(3_000));
            await socket.SendAllAsync(bytes[..count]);
            bytes = bytes[count..];
            if (!isBulk)
            {
                await Task.Delay(1);
            }
        }

        socket.Shutdown(SocketShutdown.Send);
    }

    private static async Task<ConnectStatus> DialAsync(StreamSession session, EndPoint endPoint)
    {
        var upstream = session.Environment.CreateUpstream(endPoint)!;
        var status = await session.Environment.ConnectAsync(upstream, endPoint);
        upstream.Close();
        return status;
    }

    private static async Task<int> ReceiveUpToAsync(Socket socket, byte[] bytes)
    {
        var got = 0;
        try
        {
            while (got < bytes.Length && await socket.ReceiveAsync(bytes.AsMemory(got)).AsTask().WaitAsync(Wait.Limit) is > 0 and var count)
            {
                got += count;
            }
        }
        catch (SocketException)
        {
            // Reset.
        }

        return got;
    }

    private static async Task EndOfAsync(Socket socket)
    {
        try
        {
            await socket.ReceiveToEndAsync();
        }
        catch (SocketException)
        {
            // Reset.
        }
    }
}
