using System.Net;
using System.Net.Sockets;

namespace KestrelStream.Load.Backend;

/// <summary>The <c>backend</c> mode: the server behind every proxy, in a process of its own.</summary>
/// <remarks>Prints one line with its ports, then serves until its standard input ends, so that it never outlives the generator.</remarks>
internal static class BackendProgram
{
    public static int Run(int networks)
    {
        (Socket[] reply, int replyPort) = ListenEverywhere(networks, LoopbackPlan.AddressesPerNetwork);
        (Socket[] echo, int echoPort) = ListenEverywhere(networks, 1);
        (Socket[] bulk, int bulkPort) = ListenEverywhere(networks, 1);

        new Thread(() => new SmallExchangeLoop(reply, echo).Run()) { IsBackground = true, Name = "small exchanges" }.Start();
        foreach (Socket listener in bulk)
        {
            new Thread(() => BulkServer.Accept(listener)) { IsBackground = true, Name = "bulk accept" }.Start();
        }

        Console.WriteLine($"ready {replyPort} {echoPort} {bulkPort}");
        _ = Console.In.ReadToEnd();
        return 0;
    }

    /// <summary>One port that is free on all the addresses wanted, with a listener on each.</summary>
    private static (Socket[] Listeners, int Port) ListenEverywhere(int networks, int hosts)
    {
        foreach (int port in LoopbackPlan.ListenPortCandidates())
        {
            var listeners = new List<Socket>(networks * hosts);
            try
            {
                for (int network = 0; network < networks; network++)
                {
                    for (int host = 0; host < hosts; host++)
                    {
                        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                        listeners.Add(listener);
                        listener.Bind(new IPEndPoint(LoopbackPlan.BackendAddress(network, host), port));
                        listener.Listen(4096);
                    }
                }

                return ([.. listeners], port);
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                listeners.ForEach(listener => listener.Dispose());
            }
        }

        throw new BenchmarkException("the backend found no free port");
    }
}
