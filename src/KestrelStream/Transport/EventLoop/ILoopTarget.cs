namespace KestrelStream.Transport.EventLoop;

/// <summary>Something with a descriptor that a loop watches. Called on the loop's thread only.</summary>
internal interface ILoopTarget
{
    /// <param name="events">EPOLL bits.</param>
    void OnEvents(uint events);

    /// <summary><see cref="OnEvents"/> or deferred work has thrown: what the target serves ends, the loop goes on.</summary>
    void OnFailed(Exception exception);
}
