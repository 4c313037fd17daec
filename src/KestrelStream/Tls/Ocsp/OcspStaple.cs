namespace KestrelStream.Tls.Ocsp;

/// <summary>What is known of one certificate's revocation. Changed by its <see cref="OcspWatch"/> alone; read by handshakes on any thread.</summary>
internal sealed class OcspStaple(TimeProvider time)
{
    private volatile OcspAnswer? _answer;

    /// <summary>A good one, expired or not; null = none.</summary>
    public OcspAnswer? Answer
    {
        get => _answer;
        set => _answer = value;
    }

    /// <summary>What a client gets; null = nothing. Never what has expired.</summary>
    public byte[]? Current => _answer is { } answer && (answer.NextUpdate is null || answer.NextUpdate > time.GetUtcNow()) ? answer.Der : null;
}
