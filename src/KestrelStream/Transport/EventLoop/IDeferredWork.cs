namespace KestrelStream.Transport.EventLoop;

/// <summary>Something that a loop runs at the end of its turn. Called on the loop's thread only.</summary>
internal interface IDeferredWork
{
    void RunDeferred();

    /// <summary><see cref="RunDeferred"/> has thrown.</summary>
    void OnFailed(Exception exception);
}
