namespace KestrelStream.Configuration;

/// <summary>What clients get as long as there is no certificate.</summary>
public enum AcmeUntilIssued
{
    /// <summary>The alert <c>unrecognized_name</c>.</summary>
    Refuse,

    /// <summary>A certificate that the proxy has signed itself, which no client trusts that verifies.</summary>
    SelfSigned,
}
