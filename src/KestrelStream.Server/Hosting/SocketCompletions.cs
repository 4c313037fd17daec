namespace KestrelStream.Server.Hosting;

/// <summary>How .NET's sockets continue what waited for them, decided before the first one is made.</summary>
internal static class SocketCompletions
{
    private const string Variable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>
    /// On the threads that wait for the kernel, one a core, instead of handing each to the thread pool: a third less CPU a connection on the
    /// Sockets engine. Nothing in this program blocks there. A host of the library has code of its own and decides by itself; an environment that says
    /// otherwise is obeyed.
    /// </summary>
    public static void RunInline()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null)
        {
            Environment.SetEnvironmentVariable(Variable, "1");
        }
    }
}
