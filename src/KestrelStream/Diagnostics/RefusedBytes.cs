using KestrelStream.Preread;
using KestrelStream.Sessions;

namespace KestrelStream.Diagnostics;

/// <summary>What is kept of what a refused client has sent: why it was not understood and, where the configuration asks for it, its first bytes. Immutable.</summary>
/// <param name="Error">Which rule its ClientHello broke.</param>
/// <param name="First">Empty = none are kept.</param>
/// <param name="Received">How many there were in all.</param>
internal sealed record RefusedBytes(ClientHelloError Error, byte[] First, int Received)
{
    /// <summary>Of a session whose preread bytes are still there; null = they are not.</summary>
    public static RefusedBytes? Of(StreamSession session)
    {
        if (session.Preread is not { Length: > 0 } preread)
        {
            return null;
        }

        var kept = Math.Min(session.ListenerModel.RefusedBytes, preread.Length);
        return new RefusedBytes(preread.Parser.Error, kept == 0 ? [] : preread.Written.Span[..kept].ToArray(), preread.Length);
    }
}
