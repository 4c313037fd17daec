namespace KestrelStream.Transport.EventLoop;

/// <summary>What a loop has to do with handshakes.</summary>
/// <param name="Loop">Its number.</param>
/// <param name="Waiting">That have something to do and have not got to it.</param>
/// <param name="OwnSteps">Taken on the loop, ever.</param>
/// <param name="HelperSteps">Taken by its helper, ever.</param>
internal readonly record struct HandshakeReading(int Loop, int Waiting, long OwnSteps, long HelperSteps);
