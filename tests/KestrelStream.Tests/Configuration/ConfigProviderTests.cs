using KestrelStream.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;
using Xunit;

namespace KestrelStream.Tests.Configuration;

public class ConfigProviderTests
{
    [Fact]
    public void Update_NewConfig_FiresTheTokenOnceAndIsRead()
    {
        var provider = new InMemoryConfigProvider(new StreamProxyConfig { EventLoops = 1 });
        var seen = new List<int?>();
        using var registration = ChangeToken.OnChange(provider.GetReloadToken, () => seen.Add(provider.GetConfig().Config.EventLoops));

        provider.Update(new StreamProxyConfig { EventLoops = 2 });
        provider.Update(new StreamProxyConfig { EventLoops = 3 });

        Assert.Equal([2, 3], seen);
        Assert.Empty(provider.GetConfig().Errors);
    }

    [Fact]
    public void GetReloadToken_AfterUpdate_OldOneHasChangedNewOneHasNot()
    {
        var provider = new InMemoryConfigProvider(new StreamProxyConfig());
        var before = provider.GetReloadToken();
        Assert.False(before.HasChanged);

        provider.Update(new StreamProxyConfig());

        Assert.True(before.HasChanged);
        Assert.False(provider.GetReloadToken().HasChanged);
    }

    [Fact]
    public void GetConfig_ConfigurationReloaded_FiresAndAnswersTheNewValues()
    {
        var values = new Dictionary<string, string?> { ["StreamProxy:EventLoops"] = "1" };
        var root = new ConfigurationBuilder().AddInMemoryCollection(values).Build();
        var provider = new ConfigurationConfigProvider(root.GetSection("StreamProxy"), "some/folder");
        var token = provider.GetReloadToken();
        Assert.Equal(1, provider.GetConfig().Config.EventLoops);

        root["StreamProxy:EventLoops"] = "2";
        root.Reload();

        Assert.True(token.HasChanged);
        Assert.False(provider.GetReloadToken().HasChanged);
        Assert.Equal(2, provider.GetConfig().Config.EventLoops);
        Assert.Equal(Path.GetFullPath("some/folder"), provider.BasePath);
    }
}
