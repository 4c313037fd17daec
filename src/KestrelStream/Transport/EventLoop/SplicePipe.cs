namespace KestrelStream.Transport.EventLoop;

/// <summary>
/// A kernel pipe through which one direction of a relay moves pages from socket to socket without copying them (splice(2)). Owned by
/// whoever has rented it from its <see cref="SplicePipePool"/>; empty in between.
/// </summary>
internal sealed class SplicePipe
{
    /// <summary>What a pipe holds unless told otherwise: 16 pages. A larger one moves no more at a time, because a page takes a place however full it is.</summary>
    public const int Bytes = 64 * 1024;

    private SplicePipe(int readEnd, int writeEnd)
    {
        ReadEnd = readEnd;
        WriteEnd = writeEnd;
    }

    public int ReadEnd { get; }

    public int WriteEnd { get; }

    /// <summary>Bytes in it.</summary>
    public int Count { get; set; }

    /// <summary>Null = the kernel has none to give.</summary>
    public static unsafe SplicePipe? TryCreate()
    {
        var ends = stackalloc int[2];
        return Native.Pipe(ends) < 0 ? null : new SplicePipe(ends[0], ends[1]);
    }

    public void Close()
    {
        Native.Close(ReadEnd);
        Native.Close(WriteEnd);
    }
}
