namespace KestrelStream.Transport;

/// <summary>End of a receive or send. <see cref="Count"/> 0 with <see cref="IOStatus.Ok"/> on a receive is the peer's FIN (or close_notify).</summary>
internal readonly record struct IOResult(int Count, IOStatus Status)
{
    public bool IsOk => Status == IOStatus.Ok;

    public bool IsEnd => Count == 0 && Status == IOStatus.Ok;
}
