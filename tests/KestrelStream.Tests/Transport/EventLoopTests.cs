using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.Transport;
using KestrelStream.Transport.EventLoop;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using Loop = KestrelStream.Transport.EventLoop.EventLoop;

namespace KestrelStream.Tests.Transport;

/// <summary>The loop itself: whose events are whose, what a defect may break, its clock, leaving it, ending it. Linux only.</summary>
public sealed class EventLoopTests
{
    [LinuxFact]
    public async Task EventOfAClosedDescriptor_InTheSameBatch_NeverReachesItsSuccessor()
    {
        using var loop = new RunningLoop();
        var (first, firstPeer) = await PairAsync();
        var (second, secondPeer) = await PairAsync();
        var (third, thirdPeer) = await PairAsync();
        var successor = new Target();
        var number = (int)second.Handle;
        var firstRan = new TaskCompletionSource();

        // Whichever of the two is told first closes the other and puts a new socket under its number.
        var isSwapped = false;
        void Swap()
        {
            if (!isSwapped)
            {
                isSwapped = true;
                loop.Loop.Forget(number);
                Dup2((int)third.Handle, number);
                loop.Loop.Add(number, successor, Native.EPOLLIN | Native.EPOLLET);
                firstRan.SetResult();
            }
        }

        await loop.RunAsync(() =>
        {
            loop.Loop.Add((int)first.Handle, new Target { OnEvent = Swap }, Native.EPOLLIN | Native.EPOLLET);
            loop.Loop.Add(number, new Target { OnEvent = () => Assert.Fail("The first one comes first.") }, Native.EPOLLIN | Native.EPOLLET);

            // Both are ready before the loop looks: one batch.
            firstPeer.Send("a"u8);
            secondPeer.Send("b"u8);
        });
        await firstRan.Task.WaitAsync(Wait.Limit);
        await loop.RunAsync(() => { });
        Assert.Equal(0, successor.Count);

        thirdPeer.Send("c"u8);
        await Wait.UntilAsync(() => successor.Count == 1, "the successor's own event");
        GC.KeepAlive((first, second, third));
    }

    [LinuxFact]
    public async Task TargetThatThrows_IsToldAndTheLoopGoesOn()
    {
        using var loop = new RunningLoop();
        var (bad, badPeer) = await PairAsync();
        var (good, goodPeer) = await PairAsync();
        var failing = new Target { OnEvent = () => throw new InvalidOperationException("a defect") };
        var working = new Target();
        await loop.RunAsync(() =>
        {
            loop.Loop.Add((int)bad.Handle, failing, Native.EPOLLIN | Native.EPOLLET);
            loop.Loop.Add((int)good.Handle, working, Native.EPOLLIN | Native.EPOLLET);
        });
        loop.Loop.Post(_ => throw new InvalidOperationException("another"), null);

        badPeer.Send("a"u8);
        await Wait.UntilAsync(() => failing.Failure is not null, "the failure");
        goodPeer.Send("b"u8);
        await Wait.UntilAsync(() => working.Count == 1, "the other event");
        GC.KeepAlive((bad, good));
    }

    [LinuxFact]
    public async Task Clock_IsNeverEarly_AndCanBeSetFromAnotherThread()
    {
        using var loop = new RunningLoop();
        var node = new Node();
        var cancelled = new Node();
        var now = 0L;
        await loop.RunAsync(() => now = loop.Loop.Clock.Now);

        loop.Loop.Clock.Schedule(cancelled, now + 300);
        loop.Loop.Clock.Schedule(node, now + 250);
        loop.Loop.Clock.Cancel(cancelled);

        var due = await node.Due.Task.WaitAsync(Wait.Limit);
        Assert.True(due >= now + 250, $"due at {due - now}");
        await Task.Delay(300);
        Assert.False(cancelled.Due.Task.IsCompleted);
    }

    [LinuxFact]
    public async Task Stop_OnItsOwnThread_DoesNotWaitForItself()
    {
        using var loop = new RunningLoop();
        var stopped = new TaskCompletionSource();
        loop.Loop.Post(
            _ =>
            {
                loop.Loop.Stop();
                stopped.SetResult();
            },
            null);

        await stopped.Task.WaitAsync(Wait.Limit);
    }

    [LinuxFact]
    public async Task Unbind_ConnectionsInTheQueue_AreServed()
    {
        await using var upstream = ScriptedUpstream.Echo();
        using var block = new ManualResetEventSlim();
        using var blocked = new CountdownEvent(1);
        await using var harness = await TransportHarness.StartAsync(
            EngineKind.EventLoop,
            serve: async session =>
            {
                // The first session holds up the only loop, as a slow machine would.
                if (session.Id == 0)
                {
                    blocked.Signal();
                    block.Wait();
                }

                await session.Client.SendAsync("hello"u8.ToArray());
            },
            loops: 1);
        using var first = await harness.ConnectAsync();
        Assert.True(blocked.Wait(Wait.Limit));

        var waiting = new List<Socket>();
        for (var i = 0; i < 50; i++)
        {
            waiting.Add(await harness.ConnectAsync());
        }

        var unbinding = harness.UnbindAsync();
        block.Set();
        await unbinding;

        foreach (var client in waiting)
        {
            Assert.Equal("hello"u8.ToArray(), await client.ReceiveToEndAsync());
            client.Dispose();
        }

        await Assert.ThrowsAsync<SocketException>(() => harness.ConnectAsync());
    }

    [LinuxFact]
    public async Task ClientResets_WhileItsUploadIsBlocked_UpstreamIsResetAtOnce()
    {
        var reset = new TaskCompletionSource<bool>();
        var go = new TaskCompletionSource();
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            await go.Task.WaitAsync(Wait.Limit);
            reset.SetResult(await socket.EndsWithResetAsync());
        });
        await using var harness = await TransportHarness.StartAsync(EngineKind.EventLoop, upstream.EndPoint);
        using var client = await harness.ConnectAsync();
        client.Blocking = false;
        var chunk = new byte[65536];
        var session = await harness.SessionAsync();

        // Until neither the client's buffers nor those behind the proxy take more.
        await Wait.UntilAsync(
            () =>
            {
                client.Send(chunk, SocketFlags.None, out var error);
                return error == SocketError.WouldBlock;
            },
            "back-pressure",
            TimeSpan.FromMilliseconds(1));
        var before = -1L;
        await Wait.UntilAsync(() => Interlocked.Exchange(ref before, session.BytesIn) == session.BytesIn, "standstill", TimeSpan.FromMilliseconds(50));

        client.Reset();

        await harness.EndedAsync(session);
        Assert.Equal(SessionEndReason.ClientReset, session.EndReason);
        go.SetResult();
        Assert.True(await reset.Task.WaitAsync(Wait.Limit));
    }

    [LinuxFact]
    public async Task UrgentData_DoesNotStallTheRest()
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var harness = await TransportHarness.StartAsync(EngineKind.EventLoop, upstream.EndPoint);
        using var client = await harness.ConnectAsync();
        client.NoDelay = true;
        for (var i = 0; i < 20; i++)
        {
            client.Send("before"u8);
            client.Send("!"u8, SocketFlags.OutOfBand);
            client.Send("after"u8);
            Assert.Equal("beforeafter"u8.ToArray(), await client.ReceiveExactlyAsync(11));
        }
    }

    [LinuxFact]
    public async Task UrgentData_InABulkTransfer_LosesNothingElse()
    {
        var chunk = new byte[1_000_000];
        var received = new TaskCompletionSource<int>();
        await using var upstream = new ScriptedUpstream(async socket => received.SetResult((await socket.ReceiveToEndAsync()).Length));
        await using var harness = await TransportHarness.StartAsync(EngineKind.EventLoop, upstream.EndPoint);
        using var client = await harness.ConnectAsync();
        for (var i = 0; i < 6; i++)
        {
            await client.SendAllAsync(chunk);
            client.Send("!"u8, SocketFlags.OutOfBand);
        }

        client.Shutdown(SocketShutdown.Send);

        // An urgent byte that a later one overtakes becomes an ordinary one (tcp(7)).
        Assert.InRange(await received.Task.WaitAsync(Wait.Limit), 6 * chunk.Length, 6 * chunk.Length + 6);
    }

    [LinuxFact]
    public async Task BulkTransferThatIsCut_LeavesNothingForTheNextOne()
    {
        var bytes = RandomNumberGenerator.GetBytes(4_000_000);
        var isFirst = true;
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            if (isFirst)
            {
                // More than all buffers on the way hold: the proxy is left with some.
                isFirst = false;
                await Assert.ThrowsAsync<SocketException>(() => socket.SendAllAsync(new byte[100_000_000]));
                return;
            }

            await socket.SendAllAsync(bytes);
        });
        await using var harness = await TransportHarness.StartAsync(EngineKind.EventLoop, upstream.EndPoint, loops: 1);
        var cut = await harness.ConnectAsync();
        var session = await harness.SessionAsync();
        await cut.ReceiveExactlyAsync(3_000_000);
        var before = -1L;
        await Wait.UntilAsync(() => Interlocked.Exchange(ref before, session.BytesOut) == session.BytesOut, "standstill", TimeSpan.FromMilliseconds(50));
        cut.Reset();
        await harness.EndedAsync(session);

        for (var i = 0; i < 3; i++)
        {
            using var client = await harness.ConnectAsync();
            Assert.Equal((bytes.Length, Convert.ToHexString(SHA256.HashData(bytes))), await client.HashToEndAsync());
        }

        Assert.Null(upstream.Failure);
    }

    [LinuxFact]
    public async Task StopReceiving_EndsTheReceiveUnderWay_AndNoLaterOne()
    {
        var results = new TaskCompletionSource<(IOResult First, IOResult Second)>();
        await using var harness = await TransportHarness.StartAsync(EngineKind.EventLoop, serve: async session =>
        {
            var buffer = new byte[16];
            var first = await session.Client.ReceiveAsync(buffer);
            await session.Client.SendAsync("stopped"u8.ToArray());
            results.SetResult((first, await session.Client.ReceiveAsync(buffer)));
        });
        using var client = await harness.ConnectAsync();
        var session = await harness.SessionAsync();

        session.Client.StopReceiving();
        Assert.Equal("stopped"u8.ToArray(), await client.ReceiveExactlyAsync(7));
        await client.SendAllAsync(new byte[5]);

        var (first, second) = await results.Task.WaitAsync(Wait.Limit);
        Assert.Equal(new IOResult(0, IOStatus.Ok), first);
        Assert.Equal(new IOResult(5, IOStatus.Ok), second);
    }

    [LinuxFact]
    public async Task Detach_BytesThatWaitInTheKernel_AreReadByTheSocketsEngine()
    {
        await using var upstream = ScriptedUpstream.Echo();
        TransportHarness? self = null;
        var noDelay = new TaskCompletionSource<(StreamConnection Before, StreamConnection After)>();
        await using var harness = self = await TransportHarness.StartAsync(EngineKind.EventLoop, upstream.EndPoint, async session =>
        {
            var first = new byte[3];
            Assert.Equal(3, (await session.Client.ReceiveAsync(first)).Count);
            var before = session.Client;
            await new EngineMove(self!.Sockets).MoveToSocketsAsync(session);
            noDelay.SetResult((before, session.Client));
            Assert.Equal(3, (await session.Client.SendAsync(first)).Count);
            await self.RelayAsync(session);
        });
        using var client = await harness.ConnectAsync();

        await client.SendAllAsync("onetwothree"u8.ToArray());
        Assert.Equal("onetwothree"u8.ToArray(), await client.ReceiveExactlyAsync(11));

        var (before, after) = await noDelay.Task.WaitAsync(Wait.Limit);
        Assert.NotSame(before, after);
        Assert.Equal(client.LocalEndPoint, after.RemoteEndPoint);
        Assert.Same(before.Session, after.Session);
        Assert.Equal(before.ConnectionClosed, after.ConnectionClosed);

        // Whoever still holds the old object means the connection.
        before.Reset();
        Assert.True(await client.EndsWithResetAsync());
    }

    [LinuxFact]
    public async Task AcceptedConnection_HasNoDelay()
    {
        var noDelay = new TaskCompletionSource<bool>();
        await using var harness = await TransportHarness.StartAsync(EngineKind.EventLoop, serve: session =>
        {
            // It is inherited from the listening socket: no call of its own sets it.
            var fd = typeof(LoopConnection).GetField("_fd", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!.GetValue(session.Client)!;
            using var socket = new Socket(new SafeSocketHandle((int)fd, ownsHandle: false));
            noDelay.SetResult(socket.NoDelay);
            return Task.CompletedTask;
        });
        using var client = await harness.ConnectAsync();

        Assert.True(await noDelay.Task.WaitAsync(Wait.Limit));
    }

    private static async Task<(Socket, Socket)> PairAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint!);
        return (await listener.AcceptAsync(), client);
    }

    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "dup2")]
    private static extern int Dup2(int from, int to);

    private sealed class Target : ILoopTarget
    {
        public Action? OnEvent { get; init; }

        public int Count;

        public Exception? Failure { get; private set; }

        public void OnEvents(uint events)
        {
            Interlocked.Increment(ref Count);
            OnEvent?.Invoke();
        }

        public void OnFailed(Exception exception) => Failure = exception;
    }

    private sealed class Node : TimerNode
    {
        public TaskCompletionSource<long> Due { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void OnDue(long nowMilliseconds) => Due.TrySetResult(nowMilliseconds);
    }

    private sealed class RunningLoop : IDisposable
    {
        public Loop Loop { get; } = new(0, new DescriptorBudget(), NullLogger.Instance);

        public Task RunAsync(Action action)
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Loop.Post(
                _ =>
                {
                    action();
                    done.SetResult();
                },
                null);
            return done.Task.WaitAsync(Wait.Limit);
        }

        public void Dispose() => Loop.Stop();
    }
}
