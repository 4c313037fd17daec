using System.Net;
using System.Runtime.InteropServices;
using KestrelStream.Load.Backend;
using KestrelStream.Load.Interop;

namespace KestrelStream.Load.Client;

/// <summary>Connections to the echo port that stay open. One thread uses it.</summary>
internal sealed unsafe class KeptConnections : IDisposable
{
    private readonly List<int> _descriptors = [];

    public IReadOnlyList<int> Descriptors => _descriptors;

    /// <summary>Opens connections and proves each with one echo, so that the proxy has dialled and relayed on every one.</summary>
    public void Open(IPEndPoint proxy, int count, LoadErrors errors)
    {
        ulong target = Libc.PackEndpoint(proxy);
        byte* buffer = stackalloc byte[Payload.MessageBytes];
        for (int i = 0; i < count && !errors.TooMany; i++)
        {
            int descriptor = Libc.Connect(LoopbackPlan.ClientSource(i), target, noDelay: true);
            if (descriptor < 0)
            {
                errors.Add($"connect: {Marshal.GetLastPInvokeErrorMessage()}");
                continue;
            }

            _descriptors.Add(descriptor);
            Libc.SetReceiveTimeout(descriptor, seconds: 10);
            if (!Echo(descriptor, buffer))
            {
                errors.Add($"no echo on a new connection: {Marshal.GetLastPInvokeErrorMessage()}");
            }
        }
    }

    /// <summary>Echoes once more on every connection: proof that all are still alive.</summary>
    public void Verify(LoadErrors errors)
    {
        byte* buffer = stackalloc byte[Payload.MessageBytes];
        foreach (int descriptor in _descriptors)
        {
            if (!Echo(descriptor, buffer))
            {
                errors.Add($"an idle connection was lost: {Marshal.GetLastPInvokeErrorMessage()}");
            }
        }
    }

    public void Dispose()
    {
        _descriptors.ForEach(descriptor => Libc.Close(descriptor));
        _descriptors.Clear();
    }

    private static bool Echo(int descriptor, byte* buffer)
    {
        fixed (byte* request = Payload.Request)
        {
            if (Libc.Send(descriptor, request, Payload.MessageBytes) != Payload.MessageBytes)
            {
                return false;
            }
        }

        int have = 0;
        while (have < Payload.MessageBytes)
        {
            nint received = Libc.Receive(descriptor, buffer + have, (nuint)(Payload.MessageBytes - have), 0);
            if (received <= 0)
            {
                return false;
            }

            have += (int)received;
        }

        return new ReadOnlySpan<byte>(buffer, Payload.MessageBytes).SequenceEqual(Payload.Request);
    }
}
