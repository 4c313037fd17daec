namespace KestrelStream.Admin;

/// <summary>Answer of <c>DELETE /api/sessions…</c>.</summary>
/// <param name="Closed">Sessions that this request has ended.</param>
internal sealed record ApiClosed(int Closed);
