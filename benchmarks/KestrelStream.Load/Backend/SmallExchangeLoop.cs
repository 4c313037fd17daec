using System.Net.Sockets;
using System.Runtime.InteropServices;
using KestrelStream.Load.Interop;

namespace KestrelStream.Load.Backend;

/// <summary>The reply and echo ports: one thread, one epoll, no allocation per connection.</summary>
/// <remarks>
/// It never closes first. The client ends every exchange, so the close travels client → proxy → backend in the same way through
/// every proxy, and TIME_WAIT stays with whoever dialled.
/// </remarks>
internal sealed unsafe class SmallExchangeLoop(Socket[] replyListeners, Socket[] echoListeners)
{
    private const int MaxEvents = 256;
    private const int BufferBytes = 65_536;

    /// <summary>What a descriptor is, indexed by its number.</summary>
    private readonly Role[] _roles = new Role[65_536];

    private readonly int _epoll = Libc.EpollCreate();

    private enum Role : byte
    {
        None,
        ReplyListener,
        EchoListener,
        AwaitsRequest,
        Answered,
        Echoes,
    }

    public void Run()
    {
        AddListeners(replyListeners, Role.ReplyListener);
        AddListeners(echoListeners, Role.EchoListener);
        byte* events = (byte*)NativeMemory.Alloc((nuint)Libc.EventBufferBytes(MaxEvents));
        byte* buffer = (byte*)NativeMemory.Alloc(BufferBytes);
        while (true)
        {
            int count = Libc.EpollWait(_epoll, events, MaxEvents, -1);
            for (int i = 0; i < count; i++)
            {
                Serve(Libc.EventDescriptor(events, i), buffer);
            }
        }
    }

    private void AddListeners(Socket[] listeners, Role role)
    {
        foreach (Socket listener in listeners)
        {
            listener.Blocking = false;
            int descriptor = (int)listener.Handle;
            _roles[descriptor] = role;
            _ = Libc.EpollAdd(_epoll, descriptor);
        }
    }

    private void Serve(int descriptor, byte* buffer)
    {
        switch (_roles[descriptor])
        {
            case Role.ReplyListener:
                AcceptAll(descriptor, Role.AwaitsRequest);
                break;
            case Role.EchoListener:
                AcceptAll(descriptor, Role.Echoes);
                break;
            default:
                Exchange(descriptor, buffer);
                break;
        }
    }

    private void AcceptAll(int listener, Role role)
    {
        int descriptor;
        while ((descriptor = Libc.AcceptNonBlocking(listener)) >= 0)
        {
            if (descriptor >= _roles.Length || !Libc.EpollAdd(_epoll, descriptor))
            {
                _ = Libc.Close(descriptor);
                continue;
            }

            _roles[descriptor] = role;
        }
    }

    private void Exchange(int descriptor, byte* buffer)
    {
        nint received = Libc.Receive(descriptor, buffer, BufferBytes, 0);
        if (received < 0 && Marshal.GetLastPInvokeError() is Libc.Eagain or Libc.Eintr)
        {
            return;
        }

        bool isAlive = received > 0;
        if (isAlive && _roles[descriptor] == Role.AwaitsRequest)
        {
            _roles[descriptor] = Role.Answered;
            fixed (byte* reply = Payload.Reply)
            {
                isAlive = Libc.Send(descriptor, reply, Payload.MessageBytes) == Payload.MessageBytes;
            }
        }
        else if (isAlive && _roles[descriptor] == Role.Echoes)
        {
            // The generator has one small message in flight per connection, so a full send buffer means a broken run: closing makes it an error there.
            isAlive = Libc.Send(descriptor, buffer, (nuint)received) == received;
        }

        if (!isAlive)
        {
            _roles[descriptor] = Role.None;
            _ = Libc.Close(descriptor);
        }
    }
}
