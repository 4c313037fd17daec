namespace KestrelStream.TestKit.Peers;

/// <summary>What curl found.</summary>
/// <param name="ExitCode">curl's: 0 = there was an answer, 35 = the TLS handshake failed, 60 = the certificate is not trusted.</param>
/// <param name="Status">HTTP status; 0 = no answer.</param>
/// <param name="Body">Text of the answer without line ends at its end.</param>
/// <param name="Error">What curl said.</param>
public sealed record CurlResult(int ExitCode, int Status, string Body, string Error);
