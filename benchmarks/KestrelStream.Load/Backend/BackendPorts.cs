namespace KestrelStream.Load.Backend;

/// <summary>Where the backend listens, the same three ports on every backend address.</summary>
/// <param name="Reply">Answers the first bytes with 64 bytes, ignores the rest, closes after the other side has closed.</param>
/// <param name="Echo">Sends back what it receives.</param>
/// <param name="Bulk">Sends or takes as many bytes as the 8-byte request says.</param>
internal sealed record BackendPorts(int Reply, int Echo, int Bulk);
