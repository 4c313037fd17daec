using System.Diagnostics;

namespace KestrelStream.TestKit;

/// <summary>Bounded waits. The bound is for a machine under load; no test is meant to come near it.</summary>
public static class Wait
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Asks until the answer is not null.</summary>
    public static async Task<T> ForAsync<T>(Func<T?> ask, string what, TimeSpan? every = null)
        where T : class
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            if (ask() is { } answer)
            {
                return answer;
            }

            if (watch.Elapsed > Limit)
            {
                throw new TimeoutException($"Waited {Limit} for {what}.");
            }

            await Task.Delay(every ?? TimeSpan.FromMilliseconds(10));
        }
    }

    /// <summary>Asks until it is so.</summary>
    public static Task UntilAsync(Func<bool> ask, string what, TimeSpan? every = null) => ForAsync(() => ask() ? new object() : null, what, every);
}
