using System.Net;

namespace KestrelStream.Discovery;

/// <summary>The operating system's resolver: hosts file, DNS, whatever nsswitch.conf says. Stateless, thread-safe.</summary>
/// <remarks>
/// .NET's asynchronous lookup is a blocking getaddrinfo on a thread of the pool on Linux. A name server that does not answer would
/// take these away from the sessions, several seconds each; so lookups have threads of their own, a few at most.
/// </remarks>
internal sealed class SystemNameResolver : IDestinationNameResolver
{
    private const int MaxThreads = 16;

    /// <summary>Threads are the process's.</summary>
    private static readonly SemaphoreSlim Threads = new(MaxThreads);

    public async ValueTask<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        await Threads.WaitAsync(cancellationToken);
        var lookup = Task.Factory.StartNew(
            () => LookUp(host), CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);

        // getaddrinfo cannot be stopped. The thread goes on and gives its place back when it ends.
        return await lookup.WaitAsync(cancellationToken);
    }

    private static IPAddress[] LookUp(string host)
    {
        try
        {
            return Dns.GetHostAddresses(host);
        }
        finally
        {
            Threads.Release();
        }
    }
}
