using System.Net;
using System.Runtime.InteropServices;
using KestrelStream.Load.Backend;
using KestrelStream.Load.Interop;

namespace KestrelStream.Load.Client;

/// <summary>Connections that carry one request and one reply each; the client closes. Unit: one connection.</summary>
/// <remarks>
/// Connecting blocks, which on loopback never waits; replies come through epoll. One thread keeps <see cref="InFlight"/> going.
/// </remarks>
internal sealed unsafe class ShortConnectionLoad(IPEndPoint proxy, byte[][] requests) : ILoad
{
    private const int InFlight = 24;
    private const int MaxDescriptor = 65_536;

    private readonly ulong _target = Libc.PackEndpoint(proxy);
    private readonly ReadyQueue _queue = new();
    private readonly byte[] _received = new byte[MaxDescriptor];
    private long _started;
    private int _open;

    public void Prepare(LoadErrors errors)
    {
    }

    public void Run(long amount, LoadErrors errors)
    {
        byte* buffer = stackalloc byte[Payload.MessageBytes];
        long left = amount;
        while ((left > 0 || _open > 0) && !errors.TooMany)
        {
            while (left > 0 && _open < InFlight && !errors.TooMany)
            {
                left--;
                Open(errors);
            }

            if (_open == 0)
            {
                continue;
            }

            int ready = _queue.Wait();
            if (ready == 0)
            {
                errors.Add($"{_open} connections without a reply for 10 s");
                return;
            }

            for (int i = 0; i < ready; i++)
            {
                Receive(_queue.DescriptorAt(i), buffer, errors);
            }
        }
    }

    public void Dispose() => _queue.Dispose();

    private void Open(LoadErrors errors)
    {
        long number = _started++;
        int descriptor = Libc.Connect(LoopbackPlan.ClientSource(number), _target, noDelay: false);
        if (descriptor < 0)
        {
            errors.Add($"connect: {Marshal.GetLastPInvokeErrorMessage()}");
            return;
        }

        byte[] request = requests[number % requests.Length];
        bool isSent;
        fixed (byte* bytes = request)
        {
            isSent = Libc.Send(descriptor, bytes, (nuint)request.Length) == request.Length;
        }

        if (!isSent || descriptor >= MaxDescriptor || !_queue.Add(descriptor))
        {
            errors.Add($"send: {Marshal.GetLastPInvokeErrorMessage()}");
            _ = Libc.Close(descriptor);
            return;
        }

        _received[descriptor] = 0;
        _open++;
    }

    private void Receive(int descriptor, byte* buffer, LoadErrors errors)
    {
        int have = _received[descriptor];
        nint received = Libc.Receive(descriptor, buffer, (nuint)(Payload.MessageBytes - have), Libc.DontWait);
        if (received <= 0)
        {
            if (received < 0 && Marshal.GetLastPInvokeError() is Libc.Eagain or Libc.Eintr)
            {
                return;
            }

            errors.Add(received == 0 ? "closed before the reply" : $"receive: {Marshal.GetLastPInvokeErrorMessage()}");
            Close(descriptor);
            return;
        }

        if (!new ReadOnlySpan<byte>(buffer, (int)received).SequenceEqual(Payload.Reply.AsSpan(have, (int)received)))
        {
            errors.Add("wrong bytes in a reply");
            Close(descriptor);
            return;
        }

        have += (int)received;
        _received[descriptor] = (byte)have;
        if (have == Payload.MessageBytes)
        {
            Close(descriptor);
        }
    }

    private void Close(int descriptor)
    {
        _ = Libc.Close(descriptor);
        _open--;
    }
}
