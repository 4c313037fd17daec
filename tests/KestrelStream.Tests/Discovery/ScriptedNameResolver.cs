using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using KestrelStream.Discovery;

namespace KestrelStream.Tests.Discovery;

/// <summary>A resolver whose lookups the test sees and answers one by one. Thread-safe.</summary>
internal sealed class ScriptedNameResolver : IDestinationNameResolver
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Channel<Lookup> _lookups = Channel.CreateUnbounded<Lookup>();
    private readonly ConcurrentDictionary<string, int> _running = new();

    /// <summary>Most lookups of one name at a time.</summary>
    public int MostRunning { get; private set; }

    public async ValueTask<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        var running = _running.AddOrUpdate(host, 1, (_, count) => count + 1);
        MostRunning = Math.Max(MostRunning, running);
        try
        {
            var lookup = new Lookup(host, cancellationToken);
            await _lookups.Writer.WriteAsync(lookup, CancellationToken.None);
            return await lookup.Answer.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            _running.AddOrUpdate(host, 0, (_, count) => count - 1);
        }
    }

    public async Task<Lookup> NextAsync()
    {
        using var timeout = new CancellationTokenSource(Patience);
        return await _lookups.Reader.ReadAsync(timeout.Token);
    }

    public bool IsIdle => !_lookups.Reader.TryPeek(out _);

    internal sealed record Lookup(string Host, CancellationToken Cancelled)
    {
        public TaskCompletionSource<IReadOnlyList<IPAddress>> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Succeed(params string[] addresses) => Answer.SetResult([.. addresses.Select(IPAddress.Parse)]);

        public void Fail(string message) => Answer.SetException(new InvalidOperationException(message));
    }
}
