namespace KestrelStream.Model;

/// <summary>One line of an explained choice among the members of a cluster.</summary>
/// <param name="Destination">Id of the member.</param>
/// <param name="Available">Whether a session could have it now.</param>
/// <param name="Chosen">Whether it is the one that would be dialled first.</param>
/// <param name="Why">What speaks for it or against it.</param>
internal sealed record MemberConsidered(string Destination, bool Available, bool Chosen, string Why);
