using KestrelStream.Transport;
using Microsoft.AspNetCore.Connections;

namespace KestrelStream.Sessions;

/// <summary>What runs for every accepted connection: the steps that the user has added, then <see cref="StreamSessionHandler"/>. Immutable.</summary>
internal sealed class SessionPipeline
{
    public SessionPipeline(StreamSessionHandler handler, IEnumerable<SessionPipelineStep> steps, IServiceProvider services)
    {
        var builder = new ConnectionBuilder(services);
        foreach (var step in steps)
        {
            step.Configure(builder);
            MayBlock |= step.MayBlock;
            HasSteps = true;
        }

        builder.Run(MayBlock ? connection => RunFromPoolAsync(handler, (StreamConnection)connection) : handler.RunAsync);
        Run = builder.Build();
    }

    public ConnectionDelegate Run { get; }

    /// <summary>False = <see cref="Run"/> is the handler alone.</summary>
    public bool HasSteps { get; }

    /// <summary>A user's step may block: sessions must not begin on a thread that others wait for.</summary>
    public bool MayBlock { get; }

    /// <summary>The steps before ran on the thread pool; the session itself runs where its environment wants it, and what the steps do afterwards is the pool's again.</summary>
    private static async Task RunFromPoolAsync(StreamSessionHandler handler, StreamConnection connection)
    {
        connection.ContinuesOnPool = false;
        await connection.Session!.Environment.ResumeAsync();
        await handler.RunAsync(connection);
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
    }
}
