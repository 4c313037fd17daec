namespace KestrelStream.Discovery;

/// <summary>What came of a query.</summary>
/// <param name="Message">Null = no answer.</param>
/// <param name="Failure">Why there is none, in words for the log; null = there is one.</param>
internal readonly record struct DnsReply(DnsMessage? Message, string? Failure)
{
    public static DnsReply Of(DnsMessage message) => new(message, null);

    public static DnsReply Failed(string why) => new(null, why);
}
