using KestrelStream.Transport.EventLoop;
using Xunit;

namespace KestrelStream.Tests.Transport;

/// <summary>A test of the event loop: skipped where the machine cannot run one.</summary>
public sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute()
    {
        if (EventLoopSupport.WhyNot() is { } reason)
        {
            Skip = $"No event loop here: {reason}.";
        }
    }
}
