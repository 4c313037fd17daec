namespace KestrelStream.Admin.Live;

/// <summary>What a frame says of the proxy as a whole.</summary>
/// <param name="Time">Of the frame.</param>
/// <param name="IsDraining">It is about to stop.</param>
/// <param name="Refused">Connections that came to nothing since start: another number means that <c>/api/refused</c> has news.</param>
/// <param name="Events">Likewise of <c>/api/config/history</c>.</param>
internal sealed record LiveFacts(DateTimeOffset Time, bool IsDraining, long Refused, long Events);
