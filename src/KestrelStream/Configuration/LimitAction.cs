namespace KestrelStream.Configuration;

/// <summary>What happens to a session that is beyond a limit.</summary>
public enum LimitAction
{
    /// <summary>It is refused: with a fatal alert where its ClientHello was read, else with a reset.</summary>
    Refuse,

    /// <summary>It waits for its turn, and is refused only when that is too far away.</summary>
    Delay,

    /// <summary>It is refused without a word.</summary>
    Drop,
}
