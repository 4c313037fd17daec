using System.Net;
using KestrelStream.Dialing.Dynamic;
using KestrelStream.Discovery;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.Tests.Dialing;

/// <summary>Names that clients ask for: each looked up once at a time, kept for a while, and never more of them than there is room for.</summary>
public sealed class NameCacheTests
{
    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new();
    private readonly CountingResolver _resolver = new();

    [Fact]
    public async Task FindAsync_SameName_IsLookedUpAgainWhenItIsOld()
    {
        var cache = Create();

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => cache.FindAsync("a.example.com", Refresh)));
        await cache.FindAsync("a.example.com", Refresh);
        Assert.Equal(1, _resolver.Count);

        _time.Advance(Refresh + TimeSpan.FromSeconds(1));
        await cache.FindAsync("a.example.com", Refresh);
        Assert.Equal(2, _resolver.Count);
    }

    [Fact]
    public async Task FindAsync_MoreNamesThanThereIsRoomFor_StaysBounded()
    {
        var cache = Create();
        for (var i = 0; i < NameCache.MostNames + 500; i++)
        {
            await cache.FindAsync($"n{i}.example.com", Refresh);
        }

        Assert.Equal(NameCache.MostNames, cache.Count);

        // The first ones have had their time: new ones take their place.
        await cache.FindAsync("n1.example.com", Refresh);
        for (var i = 0; i < NameCache.MostNames; i++)
        {
            await cache.FindAsync($"n{i}.example.com", Refresh);
        }

        _time.Advance(Refresh + TimeSpan.FromSeconds(1));
        await cache.FindAsync("new.example.com", Refresh);
        Assert.Equal(1, cache.Count);
    }

    private NameCache Create() => new(_resolver, new DnsClient(_time, new NameServers()), _time);

    private sealed class CountingResolver : IDestinationNameResolver
    {
        public int Count { get; private set; }

        public ValueTask<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
        {
            Count++;
            return ValueTask.FromResult<IReadOnlyList<IPAddress>>([IPAddress.Loopback]);
        }
    }
}
