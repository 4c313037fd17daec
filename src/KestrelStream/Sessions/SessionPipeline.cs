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
        }

        builder.Run(handler.RunAsync);
        Run = builder.Build();
    }

    public ConnectionDelegate Run { get; }

    /// <summary>A user's step may block: sessions must not begin on a thread that others wait for.</summary>
    public bool MayBlock { get; }
}
