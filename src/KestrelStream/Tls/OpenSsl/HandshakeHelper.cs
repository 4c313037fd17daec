using KestrelStream.Transport;
using KestrelStream.Transport.EventLoop;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>
/// A thread of lowest priority that takes steps of handshakes for one loop, in order. It runs when nobody else wants the processor, and the kernel takes that
/// from it at once when somebody does. Made and called by its loop.
/// </summary>
/// <remarks>
/// A ring of slots, and no lock: whoever holds one may be kept from running for as long as the machine is busy, and the loop would wait for it. The loop fills
/// a slot and counts it as given, the thread takes the step and counts it as done, the loop takes it back.
/// </remarks>
internal sealed class HandshakeHelper : IDisposable
{
    /// <summary>One that is run, and one to go on with while the loop is on its way to the next. Whoever is given waits for all before, on a busy machine for long.</summary>
    private const int Slots = 2;

    private readonly EventLoop _loop;
    private readonly DescriptorBudget _descriptors;
    private readonly HandshakeSlot[] _slots = new HandshakeSlot[Slots];
    private readonly Thread _thread;
    private readonly int _given;
    private uint _givenCount;
    private uint _doneCount;
    private uint _backCount;
    private volatile bool _isStopping;

    private HandshakeHelper(EventLoop loop, int index, DescriptorBudget descriptors, int given)
    {
        _loop = loop;
        _descriptors = descriptors;
        _given = given;
        for (var i = 0; i < Slots; i++)
        {
            _slots[i] = new HandshakeSlot(index);
        }

        _thread = new Thread(Run) { Name = $"kestrelstream-tls-{index}", IsBackground = true };
        _thread.Start();
    }

    /// <summary>To be filled and given. Null = all are under way.</summary>
    public HandshakeSlot? NextSlot => _givenCount - _backCount < Slots ? _slots[_givenCount % Slots] : null;

    /// <summary>Something was given that is not back.</summary>
    public bool IsBusy => _givenCount != _backCount;

    /// <summary>Null = there is no descriptor, no thread or no memory to have.</summary>
    public static HandshakeHelper? TryStart(EventLoop loop, int index, DescriptorBudget descriptors)
    {
        if (!descriptors.TryTake())
        {
            return null;
        }

        var given = Native.EventFd(waits: true);
        if (given < 0)
        {
            descriptors.Return();
            return null;
        }

        try
        {
            return new HandshakeHelper(loop, index, descriptors, given);
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            // The first is also how .NET says that there may be no more threads.
            Native.Close(given);
            descriptors.Return();
            return null;
        }
    }

    /// <summary><see cref="NextSlot"/> is filled.</summary>
    public void Give()
    {
        Volatile.Write(ref _givenCount, _givenCount + 1);
        Native.Signal(_given);
    }

    /// <summary>The next one that is done; it is good until another is given. Null = none is.</summary>
    public HandshakeSlot? TakeBack() => _backCount == Volatile.Read(ref _doneCount) ? null : _slots[_backCount++ % Slots];

    /// <summary>Ends the thread, once it has done what it was given.</summary>
    public void Stop()
    {
        _isStopping = true;
        Native.Signal(_given);
        _thread.Join();
    }

    /// <summary>When it is stopped, and all is taken back.</summary>
    public void Dispose()
    {
        foreach (var slot in _slots)
        {
            slot.Dispose();
        }

        Native.Close(_given);
        _descriptors.Return();
    }

    private void Run()
    {
        Native.SetLowestPriority();
        bool isStopping;
        do
        {
            Native.Wait(_given);

            // Looked at first: what was given before it was set is still to be done.
            isStopping = _isStopping;
            while (_doneCount != Volatile.Read(ref _givenCount))
            {
                _slots[_doneCount % Slots].Run();
                Volatile.Write(ref _doneCount, _doneCount + 1);
                _loop.Wake();
            }
        }
        while (!isStopping);
    }
}
