using Xunit;

namespace KestrelStream.Tests;

/// <summary>For tests that no other may run beside: they measure what belongs to the whole process.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = nameof(Alone);
}
