using System.Net.Sockets;
using System.Security.Cryptography;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.FunctionalTests.Relay;

/// <summary>Who closes how and when: bytes, half-close, resets, back-pressure, clocks.</summary>
public sealed class RelayTests
{
    private static readonly byte[] Payload = RandomNumberGenerator.GetBytes(8 * 1024 * 1024);
    private static readonly string PayloadHash = Convert.ToHexString(SHA256.HashData(Payload));

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task BothDirectionsAtOnce_EveryByteArrives(EngineKind engine)
    {
        var uploaded = new TaskCompletionSource<(long, string)>();
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            var read = socket.HashToEndAsync();
            await SendInPiecesAsync(socket, seed: 1);
            socket.Shutdown(SocketShutdown.Send);
            uploaded.SetResult(await read);
        });
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyEnvironment.OneRoute(engine, upstream.EndPoint));
        using var client = await proxy.ConnectAsync();

        var download = client.HashToEndAsync();
        await SendInPiecesAsync(client, seed: 2);
        client.Shutdown(SocketShutdown.Send);

        Assert.Equal((Payload.Length, PayloadHash), await download);
        Assert.Equal((Payload.Length, PayloadHash), await uploaded.Task.WaitAsync(Wait.Limit));
        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
        var session = proxy.Sessions.Single();
        Assert.Equal((Payload.Length, Payload.Length), (session.BytesIn, session.BytesOut));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task SizesAroundBuffers_EveryByteArrives_WithTheEndBehindThem(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyEnvironment.OneRoute(engine, upstream.EndPoint));

        // Half a kilobyte and 64 KiB are buffers of the engines: one less, exactly full, one more, and several of them.
        foreach (var size in new[] { 1, 511, 512, 513, 1023, 1024, 1025, 65_023, 65_024, 65_535, 65_536, 65_537, 66_047, 66_048, 66_049, 131_072, 524_288, 524_800, 1_000_000 })
        {
            using var client = await proxy.ConnectAsync();
            var received = client.ReceiveToEndAsync();
            await client.SendAllAsync(Payload.AsMemory(0, size));
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal(Payload[..size], await received);
        }

        await Wait.UntilAsync(() => proxy.Sessions.All(session => session.Ended.IsCompleted), "the last end");
        Assert.All(proxy.Sessions, session => Assert.Equal(SessionEndReason.Completed, session.EndReason));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ClientEndsItsSending_AnswerStillArrives(EngineKind engine)
    {
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            var request = await socket.ReceiveToEndAsync();
            await socket.SendAllAsync(Payload.AsMemory(0, request.Length * 1000));
        });
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyEnvironment.OneRoute(engine, upstream.EndPoint));
        using var client = await proxy.ConnectAsync();

        await client.SendAllAsync(new byte[1000]);
        client.Shutdown(SocketShutdown.Send);

        Assert.Equal(Payload[..1_000_000], await client.ReceiveToEndAsync());
        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task UpstreamEndsItsSending_ClientMayGoOn(EngineKind engine)
    {
        var uploaded = new TaskCompletionSource<(long, string)>();
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            await socket.SendAllAsync(new byte[] { 1, 2, 3 });
            socket.Shutdown(SocketShutdown.Send);
            uploaded.SetResult(await socket.HashToEndAsync());
        });
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyEnvironment.OneRoute(engine, upstream.EndPoint));
        using var client = await proxy.ConnectAsync();

        Assert.Equal([1, 2, 3], await client.ReceiveToEndAsync());
        await client.SendAllAsync(Payload);
        client.Shutdown(SocketShutdown.Send);

        Assert.Equal((Payload.Length, PayloadHash), await uploaded.Task.WaitAsync(Wait.Limit));
        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task BothEndAtOnce_NoneIsTakenForAReset(EngineKind engine)
    {
        // A word makes both sides hang up, so that the ends meet in the proxy.
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            await socket.ReceiveExactlyAsync(1);
            socket.Shutdown(SocketShutdown.Send);
            await socket.ReceiveToEndAsync();
        });
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyEnvironment.OneRoute(engine, upstream.EndPoint));
        for (var i = 0; i < 300; i++)
        {
            using var client = await proxy.ConnectAsync();
            await client.SendAllAsync("x"u8.ToArray());
            client.Shutdown(SocketShutdown.Send);
            await client.ReceiveToEndAsync();
            Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync(i));
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ClientResets_UpstreamIsReset(EngineKind engine)
    {
        var ended = new TaskCompletionSource<bool>();
        await using var upstream = new ScriptedUpstream(async socket => ended.SetResult(await socket.EndsWithResetAsync()));
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyEnvironment.OneRoute(engine, upstream.EndPoint));
        var client = await proxy.ConnectAsync();
        await client.SendAllAsync(new byte[100]);
        await Wait.UntilAsync(() => upstream.Count == 1, "the dial");

        client.Reset();

        Assert.True(await ended.Task.WaitAsync(Wait.Limit));
        Assert.Equal(SessionEndReason.ClientReset, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task UpstreamResets_ClientIsReset(EngineKind engine)
    {
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            await socket.ReceiveExactlyAsync(5);
            socket.Reset();
        });
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyEnvironment.OneRoute(engine, upstream.EndPoint));
        using var client = await proxy.ConnectAsync();

        await client.SendAllAsync("hello"u8.ToArray());

        Assert.True(await client.EndsWithResetAsync());
        Assert.Equal(SessionEndReason.UpstreamReset, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task UpstreamAnswersAndClosesOnUnreadRequest_AnswerArrives(EngineKind engine)
    {
        // What a server does that refuses an upload: it answers, and its close() with unread bytes becomes RST.
        var answer = Payload.AsMemory(0, 50_000);
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            await socket.ReceiveExactlyAsync(10);
            await socket.SendAllAsync(answer);
            await Wait.UntilAsync(() => socket.Available > 100_000, "an upload that nobody reads");
        });
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyEnvironment.OneRoute(engine, upstream.EndPoint));
        using var client = await proxy.ConnectAsync();

        var upload = Task.Run(async () =>
        {
            try
            {
                await client.SendAllAsync(Payload);
                return false;
            }
            catch (SocketException)
            {
                return true;
            }
        });

        Assert.Equal(answer.ToArray(), await client.ReceiveExactlyAsync(answer.Length));
        // The kernel tells of a reset once: the client's send or its receive.
        var receivedReset = await client.EndsWithResetAsync();
        Assert.True(await upload.WaitAsync(Wait.Limit) | receivedReset);
        Assert.Equal(SessionEndReason.UpstreamReset, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task SlowReader_StopsItsSenderAndLosesNothing(EngineKind engine)
    {
        const int Total = 64 * 1024 * 1024;
        long sent = 0;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            for (; sent < Total; Interlocked.Add(ref sent, 65536))
            {
                var piece = Payload.AsMemory((int)(sent % (Payload.Length - 65536)), 65536);
                hash.AppendData(piece.Span);
                await socket.SendAllAsync(piece);
            }
        });
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyEnvironment.OneRoute(engine, upstream.EndPoint));
        using var client = await proxy.ConnectAsync();

        // The sender stands still: kernel buffers and at most one of ours are full.
        var before = -1L;
        await Wait.UntilAsync(() => Volatile.Read(ref sent) is > 0 and var now && (now == before || (before = now) < 0), "the sender to stop", TimeSpan.FromMilliseconds(300));
        Assert.InRange(Volatile.Read(ref sent), 1, Total / 2);

        var (count, sha) = await client.HashToEndAsync();
        Assert.Equal(Total, count);
        Assert.Equal(Convert.ToHexString(hash.GetHashAndReset()), sha);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task NoByteForIdleTimeout_BothSidesAreClosed(EngineKind engine)
    {
        var ended = new TaskCompletionSource<bool>();
        await using var upstream = new ScriptedUpstream(async socket => ended.SetResult(await socket.EndsWithResetAsync()));
        await using var proxy = await ProxyEnvironment.StartAsync(
            ProxyEnvironment.OneRoute(engine, upstream.EndPoint, r => r with { IdleTimeout = TimeSpan.FromMilliseconds(500) }));
        using var client = await proxy.ConnectAsync();

        Assert.False(await client.EndsWithResetAsync());
        Assert.False(await ended.Task.WaitAsync(Wait.Limit));
        Assert.Equal(SessionEndReason.IdleTimeout, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task BytesOneWay_KeepTheSessionAlive(EngineKind engine)
    {
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            for (var i = 0; i < 15; i++)
            {
                await socket.SendAllAsync(new byte[] { (byte)i });
                await Task.Delay(200);
            }
        });
        await using var proxy = await ProxyEnvironment.StartAsync(
            ProxyEnvironment.OneRoute(engine, upstream.EndPoint, r => r with { IdleTimeout = TimeSpan.FromSeconds(1) }));
        using var client = await proxy.ConnectAsync();

        Assert.Equal(15, (await client.ReceiveToEndAsync()).Length);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task OneSideEnded_OtherIsBoundedByHalfCloseTimeout(EngineKind engine)
    {
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            await socket.ReceiveToEndAsync();
            await socket.EndsWithResetAsync();
            await Task.Delay(Timeout.Infinite, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(3)).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        await using var proxy = await ProxyEnvironment.StartAsync(
            ProxyEnvironment.OneRoute(engine, upstream.EndPoint, r => r with { HalfCloseTimeout = TimeSpan.FromMilliseconds(500) }));
        using var client = await proxy.ConnectAsync();
        client.Shutdown(SocketShutdown.Send);

        Assert.True(await client.EndsWithResetAsync());
        Assert.Equal(SessionEndReason.HalfCloseTimeout, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task OlderThanMaxSessionLifetime_IsCut(EngineKind engine)
    {
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            while (true)
            {
                await socket.SendAllAsync(new byte[1]);
                await Task.Delay(50);
            }
        });
        await using var proxy = await ProxyEnvironment.StartAsync(
            ProxyEnvironment.OneRoute(engine, upstream.EndPoint, r => r with { MaxSessionLifetime = TimeSpan.FromMilliseconds(700) }));
        using var client = await proxy.ConnectAsync();

        Assert.True(await client.EndsWithResetAsync());
        Assert.Equal(SessionEndReason.LifetimeExceeded, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ManySessions_FromBothSidesAtRandom_EachSeesItsOwnBytes(EngineKind engine)
    {
        // Descriptors are reused all the time here: a stray event would mix sessions up.
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            var id = await socket.ReceiveExactlyAsync(8);
            var length = BitConverter.ToInt32(id, 4) & 0x3fff;
            await socket.SendAllAsync(Answer(id, length));
            if ((id[0] & 1) == 0)
            {
                await socket.ReceiveToEndAsync();
            }
        });
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyEnvironment.OneRoute(engine, upstream.EndPoint));

        await Parallel.ForAsync(0, 3000, new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, _) =>
        {
            using var client = await proxy.ConnectAsync();
            var id = new byte[8];
            Random.Shared.NextBytes(id);
            await client.SendAllAsync(id);
            var length = BitConverter.ToInt32(id, 4) & 0x3fff;
            Assert.Equal(Answer(id, length), await client.ReceiveExactlyAsync(length));
            if (i % 7 == 0)
            {
                client.Reset();
            }
        });

        Assert.Null(upstream.Failure is SocketException ? null : upstream.Failure);
    }

    private static byte[] Answer(byte[] id, int length)
    {
        var bytes = new byte[length];
        new Random(BitConverter.ToInt32(id)).NextBytes(bytes);
        return bytes;
    }

    private static async Task SendInPiecesAsync(Socket socket, int seed)
    {
        var random = new Random(seed);
        for (var rest = Payload.AsMemory(); !rest.IsEmpty;)
        {
            var count = Math.Min(rest.Length, random.Next(1, 100_000));
            await socket.SendAllAsync(rest[..count]);
            rest = rest[count..];
        }
    }
}
