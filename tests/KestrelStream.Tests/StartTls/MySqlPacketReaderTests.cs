using KestrelStream.StartTls.MySql;
using KestrelStream.Transport;
using Xunit;

namespace KestrelStream.Tests.StartTls;

/// <summary>Packets however they are cut, and peers that lie about them or end within.</summary>
public class MySqlPacketReaderTests
{
    private static readonly byte[] s_packets = [.. MySqlPacket.Create("first"u8, 0), .. MySqlPacket.Create([], 1), .. MySqlPacket.Create(new byte[3000], 2), 9, 9];

    [Fact]
    public async Task ReadAsync_EveryCut_GivesTheSamePackets()
    {
        for (var cut = 1; cut < s_packets.Length; cut++)
        {
            await ReadAllAsync(new Chunks(s_packets[..cut], s_packets[cut..]));
        }

        await ReadAllAsync(new Chunks([.. s_packets.Select(b => new[] { b })]));
    }

    [Fact]
    public async Task ReadAsync_EndWithin_IsEmpty()
    {
        for (var length = 0; length < 9; length++)
        {
            using var reader = new MySqlPacketReader(new Chunks(s_packets[..length]), 4000);
            Assert.True((await reader.ReadAsync()).IsEmpty);
            Assert.False(reader.IsTooLong);
        }
    }

    [Fact]
    public async Task ReadAsync_LongerThanAllowed_IsNotWaitedFor()
    {
        foreach (var header in new byte[][] { [0xff, 0xff, 0xff, 0], [0xa1, 0x0f, 0, 0] })
        {
            using var reader = new MySqlPacketReader(new Chunks(header), 4000);
            Assert.True((await reader.ReadAsync()).IsEmpty);
            Assert.True(reader.IsTooLong);
        }
    }

    [Fact]
    public async Task Peer_WrongNumber_IsAViolation()
    {
        for (var number = 0; number < 256; number++)
        {
            using var peer = new MySqlPeer(new Chunks(MySqlPacket.Create("x"u8, (byte)number)), next: 255);
            Assert.Equal(number != 255, (await peer.ReadAsync()).IsEmpty);
            Assert.Equal(number != 255, peer.IsViolated);
        }
    }

    private static async Task ReadAllAsync(Chunks chunks)
    {
        using var reader = new MySqlPacketReader(chunks, 4000);
        var start = 0;
        foreach (var length in new[] { 9, 4, 3004 })
        {
            Assert.Equal(s_packets[start..(start + length)], (await reader.ReadAsync()).ToArray());
            start += length;
        }

        // What stands behind is told once it has been received.
        Assert.True((await reader.ReadAsync()).IsEmpty);
        Assert.Equal(s_packets[start..], reader.Rest.ToArray());
    }

    /// <summary>A peer that sends these bytes, one piece a receive, and ends.</summary>
    private sealed class Chunks(params byte[][] chunks) : StreamConnection
    {
        private readonly Queue<byte[]> _chunks = new(chunks);

        public override ValueTask<IOResult> ReceiveAsync(Memory<byte> buffer)
        {
            if (!_chunks.TryDequeue(out var chunk))
            {
                return new(new IOResult(0, IOStatus.Ok));
            }

            var count = Math.Min(buffer.Length, chunk.Length);
            chunk.AsSpan(0, count).CopyTo(buffer.Span);
            if (count < chunk.Length)
            {
                byte[][] rest = [chunk[count..], .. _chunks];
                _chunks.Clear();
                Array.ForEach(rest, _chunks.Enqueue);
            }

            return new(new IOResult(count, IOStatus.Ok));
        }

        public override ValueTask<IOStatus> WaitToReceiveAsync() => new(IOStatus.Ok);

        public override ValueTask<IOResult> SendAsync(ReadOnlyMemory<byte> buffer) => new(new IOResult(buffer.Length, IOStatus.Ok));

        public override ValueTask<IOStatus> ShutdownSendAsync() => new(IOStatus.Ok);

        public override void StopReceiving()
        {
        }

        public override void Reset()
        {
        }

        public override bool WasReset() => false;

        public override void Close()
        {
        }
    }
}
