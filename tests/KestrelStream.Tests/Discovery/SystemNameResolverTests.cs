using System.Net;
using System.Net.Sockets;
using KestrelStream.Discovery;
using Xunit;

namespace KestrelStream.Tests.Discovery;

public class SystemNameResolverTests
{
    [Fact]
    public async Task ResolveAsync_Localhost_IsLoopback()
    {
        var addresses = await new SystemNameResolver().ResolveAsync("localhost", CancellationToken.None);

        Assert.NotEmpty(addresses);
        Assert.All(addresses, address => Assert.True(IPAddress.IsLoopback(address)));
    }

    /// <summary>RFC 6761: .invalid never resolves. More lookups than there are threads, so that each must give its place back.</summary>
    [Fact]
    public async Task ResolveAsync_ManyNamesThatDoNotExist_ThrowAll()
    {
        var resolver = new SystemNameResolver();

        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Assert.ThrowsAnyAsync<SocketException>(
            async () => await resolver.ResolveAsync($"name{i}.invalid", CancellationToken.None)))).WaitAsync(TimeSpan.FromMinutes(2));

        Assert.NotEmpty(await resolver.ResolveAsync("localhost", CancellationToken.None));
    }

    [Fact]
    public async Task ResolveAsync_Cancelled_Throws()
        => await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await new SystemNameResolver().ResolveAsync("localhost", new CancellationToken(canceled: true)));
}
