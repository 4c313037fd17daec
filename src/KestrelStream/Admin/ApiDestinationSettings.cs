using KestrelStream.Configuration;

namespace KestrelStream.Admin;

/// <summary>Answer of a change of a destination: what is in force, or was until it was removed. Its keys are those that can be changed or given.</summary>
/// <param name="Id">Its key.</param>
/// <param name="Address">Where it is.</param>
/// <param name="State">ready, drain or maintenance.</param>
/// <param name="Health">auto, up or down: the operator's word.</param>
/// <param name="Weight">Share of sessions; 0 = no new ones.</param>
/// <param name="Backup">Used only when every other one is down or full.</param>
/// <param name="MaxConnections">Most sessions at once; null = unlimited.</param>
internal sealed record ApiDestinationSettings(string Id, string Address, string State, string Health, int Weight, bool Backup, int? MaxConnections)
{
    public static ApiDestinationSettings Of(string id, DestinationConfig config) => new(
        id, config.Address, Word(config.Control.State), Word(config.Control.Health), config.Weight, config.Backup, config.MaxConnections);

    public static string Word(OperatorState state) => state switch
    {
        OperatorState.Drain => "drain",
        OperatorState.Maintenance => "maintenance",
        _ => "ready",
    };

    public static string Word(OperatorHealth health) => health switch
    {
        OperatorHealth.Up => "up",
        OperatorHealth.Down => "down",
        _ => "auto",
    };
}
