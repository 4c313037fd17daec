namespace KestrelStream.Load.Client;

/// <summary>One kind of work sent through a proxy. Owned by one measurement; not thread-safe.</summary>
internal interface ILoad : IDisposable
{
    /// <summary>What must exist before the work but is not part of it: kept connections, a session to resume.</summary>
    void Prepare(LoadErrors errors);

    /// <summary>Does <paramref name="amount"/> units and returns when the last one has ended at the client; stops early after too many errors.</summary>
    void Run(long amount, LoadErrors errors);
}
