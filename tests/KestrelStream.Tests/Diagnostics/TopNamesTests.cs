using KestrelStream.Diagnostics;
using Xunit;

namespace KestrelStream.Tests.Diagnostics;

public sealed class TopNamesTests
{
    [Fact]
    public void Count_FewNames_EachCountsFromItsSecondVisit()
    {
        var names = new TopNames(3);
        Visit(names, "a", 5);
        Visit(names, "b", 2);
        Visit(names, "c", 1);

        var (shown, other) = names.Read();
        Assert.Equal([("a", 3L), ("b", 0L)], shown);
        Assert.Equal(5, other);
    }

    /// <summary>To a scraper a counter that shrinks has begun anew: each series may, when it has been another's meanwhile, but never the others' one.</summary>
    [Fact]
    public void Count_AnySequence_OtherNeverShrinksAndTheSeriesAreFew()
    {
        var random = new Random(7);
        var names = new TopNames(8);
        var last = 0L;
        for (var i = 1; i <= 20_000; i++)
        {
            names.Count("n" + (int)Math.Pow(random.Next(1, 100), 1 + (i % 3 / 2.0)));
            if (i % 100 == 0)
            {
                var (shown, other) = names.Read();
                Assert.InRange(shown.Count, 0, 8);
                Assert.InRange(other, last, i);
                Assert.InRange(other + shown.Sum(pair => pair.Count), 1, i);
                last = other;
            }
        }
    }

    [Fact]
    public void Count_RandomNames_DisplaceNobodyAndTakeNoMemory()
    {
        var names = new TopNames(4);
        foreach (var name in new[] { "a", "b", "c", "d" })
        {
            Visit(names, name, 100);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 50_000; i++)
        {
            names.Count("random" + i);
            if (i % 100 == 0)
            {
                foreach (var name in new[] { "a", "b", "c", "d" })
                {
                    Visit(names, name, 100);
                }
            }
        }

        var (shown, other) = names.Read();
        Assert.Equal(["a", "b", "c", "d"], shown.Select(pair => pair.Name));
        Assert.True(shown.Min(pair => pair.Count) > 40_000);
        Assert.True(other >= 50_000);

        // The names themselves, which the test makes: 48 bytes each; nothing is kept for them.
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 50_000 * 100);
    }

    [Fact]
    public void Count_NewFrequentName_TakesTheSeriesOfTheLeast()
    {
        var names = new TopNames(2);
        Visit(names, "big", 1000);
        Visit(names, "small", 10);
        Visit(names, "new", 500);

        Assert.Equal(["big", "new"], names.Read().Names.Select(pair => pair.Name));
    }

    [Fact]
    public async Task Count_ManyThreads_LosesNothing()
    {
        var names = new TopNames(2);
        Visit(names, "a", 2);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Visit(names, "a", 10_000))));
        Assert.Equal([("a", 40_000L)], names.Read().Names);
        Assert.Equal(2, names.Read().Other);
    }

    private static void Visit(TopNames names, string name, int times)
    {
        for (var i = 0; i < times; i++)
        {
            names.Count(name);
        }
    }
}
