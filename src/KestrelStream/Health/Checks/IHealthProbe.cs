namespace KestrelStream.Health.Checks;

/// <summary>
/// Asks a destination, over a connection that has just been made, how it is. One a cluster's settings; stateless, thread-safe.
/// Whatever the peer says or does is a result, not an exception. The time is watched from outside: a connection that was given up
/// ends every operation on it.
/// </summary>
internal interface IHealthProbe
{
    ValueTask<ProbeResult> ProbeAsync(ProbeConnection connection);
}
