namespace KestrelStream.Transport.EventLoop;

/// <summary>The pipes of one loop: few, kept, counted as descriptors. Only directions that are moving or blocked hold one. On the loop's thread only.</summary>
internal sealed class SplicePipePool(DescriptorBudget descriptors)
{
    /// <summary>Bulk transfers at once that are spliced; more are copied.</summary>
    private const int MaxPipes = 32;

    private readonly Stack<SplicePipe> _free = new();
    private int _made;

    /// <summary>Null = there is none to have: copy.</summary>
    public SplicePipe? TryRent()
    {
        if (_free.TryPop(out var pipe))
        {
            return pipe;
        }

        // A pipe takes as many descriptors as a session, and must not take those of the reserve.
        if (_made >= MaxPipes || !descriptors.TryTake())
        {
            return null;
        }

        if (SplicePipe.TryCreate() is not { } made)
        {
            descriptors.Return();
            return null;
        }

        _made++;
        return made;
    }

    /// <summary>One with bytes left in it is closed: they must not reach another session.</summary>
    public void Return(SplicePipe pipe)
    {
        if (pipe.Count == 0)
        {
            _free.Push(pipe);
        }
        else
        {
            Close(pipe);
        }
    }

    public void CloseAll()
    {
        while (_free.TryPop(out var pipe))
        {
            Close(pipe);
        }
    }

    private void Close(SplicePipe pipe)
    {
        pipe.Close();
        _made--;
        descriptors.Return();
    }
}
