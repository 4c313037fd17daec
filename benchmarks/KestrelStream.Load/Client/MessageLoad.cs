using System.Net;
using System.Runtime.InteropServices;
using KestrelStream.Load.Backend;
using KestrelStream.Load.Interop;

namespace KestrelStream.Load.Client;

/// <summary>Small messages echoed over kept connections, one in flight on each. Unit: one message there and back.</summary>
internal sealed unsafe class MessageLoad(IPEndPoint proxy) : ILoad
{
    private const int Connections = 50;

    private readonly KeptConnections _connections = new();
    private readonly ReadyQueue _queue = new();
    private readonly Dictionary<int, int> _received = [];

    public void Prepare(LoadErrors errors)
    {
        _connections.Open(proxy, Connections, errors);
        foreach (int descriptor in _connections.Descriptors)
        {
            _received[descriptor] = 0;
            _ = _queue.Add(descriptor);
        }
    }

    public void Run(long amount, LoadErrors errors)
    {
        byte* buffer = stackalloc byte[Payload.MessageBytes];
        long toSend = amount;
        long toReceive = 0;
        foreach (int descriptor in _connections.Descriptors)
        {
            if (toSend > 0)
            {
                toSend--;
                toReceive += Send(descriptor, errors);
            }
        }

        while (toReceive > 0 && !errors.TooMany)
        {
            int ready = _queue.Wait();
            if (ready == 0)
            {
                errors.Add($"{toReceive} messages without an echo for 10 s");
                return;
            }

            for (int i = 0; i < ready && !errors.TooMany; i++)
            {
                int descriptor = _queue.DescriptorAt(i);
                if (!ReceivedWhole(descriptor, buffer, errors))
                {
                    continue;
                }

                toReceive--;
                if (toSend > 0)
                {
                    toSend--;
                    toReceive += Send(descriptor, errors);
                }
            }
        }
    }

    public void Dispose()
    {
        _connections.Dispose();
        _queue.Dispose();
    }

    private static int Send(int descriptor, LoadErrors errors)
    {
        fixed (byte* request = Payload.Request)
        {
            if (Libc.Send(descriptor, request, Payload.MessageBytes) == Payload.MessageBytes)
            {
                return 1;
            }
        }

        errors.Add($"send: {Marshal.GetLastPInvokeErrorMessage()}");
        return 0;
    }

    private bool ReceivedWhole(int descriptor, byte* buffer, LoadErrors errors)
    {
        int have = _received[descriptor];
        nint received = Libc.Receive(descriptor, buffer, (nuint)(Payload.MessageBytes - have), Libc.DontWait);
        if (received <= 0)
        {
            errors.Add(received == 0 ? "closed in the middle" : $"receive: {Marshal.GetLastPInvokeErrorMessage()}");
            return false;
        }

        if (!new ReadOnlySpan<byte>(buffer, (int)received).SequenceEqual(Payload.Request.AsSpan(have, (int)received)))
        {
            errors.Add("wrong bytes in an echo");
        }

        have += (int)received;
        _received[descriptor] = have == Payload.MessageBytes ? 0 : have;
        return have == Payload.MessageBytes;
    }
}
