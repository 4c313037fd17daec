using KestrelStream.Model;

namespace KestrelStream.LoadBalancing;

/// <summary>What a least-of-all policy compares, before it is divided by the weight. A type parameter, so that the call is inlined.</summary>
internal interface ILeastLoad
{
    static abstract float Of(DestinationState member);
}
