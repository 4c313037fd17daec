using System.Net;
using KestrelStream.Limits;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.Tests.Limits;

/// <summary>What a million clients take. Alone, as it measures the memory of the process.</summary>
[Collection(Alone.Name)]
public sealed class ClientTableMemoryTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly ClientTable _table;

    public ClientTableMemoryTests() => _table = new ClientTable(_time);

    public void Dispose() => _table.Dispose();

    /// <summary>200 bytes a client, what is thrown away while it grows included; and most of it comes back.</summary>
    [Fact]
    public void Enter_MillionClients_FitIntoTheirMemory()
    {
        var limits = new ClientLimits(10, Rate(1, burstSeconds: 5), default);
        _table.MaxClients = 1_200_000;
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var (bytes, v4) = (new byte[16], new byte[] { 10, 0, 0, 0 });
        bytes[0] = 0x20;
        for (var i = 0; i < 1_000_000; i++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4), i);
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(v4, 0x0a000000 + i);
            ClientKey.TryCreate(1, new IPEndPoint(new IPAddress(i % 2 == 0 ? v4 : bytes), 1), 32, 64, out var key);
            Assert.True(_table.Enter(key, limits, _time.GetTimestamp()).IsAllowed);
            _table.Leave(key);
        }

        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.Equal(1_000_000, _table.Count);
        Assert.InRange(grown, 40_000_000, 120_000_000);

        for (var i = 0; i < 80; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(0, _table.Count);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, -20_000_000, 10_000_000);
    }

    private RateLimit Rate(double perSecond, double burstSeconds, double maxWaitSeconds = 0)
        => new(perSecond, TimeSpan.FromSeconds(burstSeconds), TimeSpan.FromSeconds(maxWaitSeconds), _time.TimestampFrequency);
}
