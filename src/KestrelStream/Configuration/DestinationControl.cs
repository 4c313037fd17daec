namespace KestrelStream.Configuration;

/// <summary>What an operator has said about a destination over the API; the default is nothing.</summary>
/// <param name="State">Whether it gets sessions.</param>
/// <param name="Health">Whether it is up.</param>
internal readonly record struct DestinationControl(OperatorState State, OperatorHealth Health)
{
    /// <summary>Sessions may be sent there as far as the operator goes.</summary>
    public bool TakesSessions => State == OperatorState.Ready && Health != OperatorHealth.Down;

    /// <summary>It is one of those that the cluster counts on. Who is drained is missing on purpose.</summary>
    public bool IsCounted => State == OperatorState.Ready;
}
