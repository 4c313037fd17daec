using KestrelStream.Tls;
using Xunit;

namespace KestrelStream.Tests.Tls;

public sealed class SessionCacheTests
{
    private readonly SessionCache _cache = new(most: 3);

    [Fact]
    public void Add_WithoutRoom_ForgetsTheOldest_AndWipesIt()
    {
        var first = "first session"u8.ToArray();
        _cache.Add([1], first);
        for (byte id = 2; id <= 4; id++)
        {
            _cache.Add([id], [id]);
        }

        Assert.Equal(3, _cache.Count);
        Assert.Null(_cache.Find([1]));
        Assert.Equal(new byte[13], first);
        Assert.Equal([4], _cache.Find([4]));
    }

    [Fact]
    public void Find_IsACopy_ThatOutlivesItsRemoval()
    {
        _cache.Add([1], [7]);
        var found = _cache.Find([1]);
        _cache.Remove([1]);
        _cache.Remove([1]);

        Assert.Equal([7], found);
        Assert.Null(_cache.Find([1]));
        Assert.Equal(0, _cache.Count);
    }

    [Fact]
    public void Add_TheSameIdAgain_ReplacesIt()
    {
        _cache.Add([1], [7]);
        _cache.Add([1], [8]);

        Assert.Equal(1, _cache.Count);
        Assert.Equal([8], _cache.Find([1]));
    }
}
