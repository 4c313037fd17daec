using System.Text;
using KestrelStream.Sessions;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>One thing that a record can say: its name in every form, and how it is found. Immutable.</summary>
/// <param name="name">Letters, digits and underscores.</param>
/// <param name="write">Writes the value, or nothing where the session does not have it.</param>
/// <param name="needs">What a session has to keep for it.</param>
/// <param name="of">Without these facts there is nothing to write.</param>
internal sealed class AccessLogField(
    string name, Action<AccessLogFormatter, AccessLogField, AccessLogRecord> write, SessionTraceNeeds needs = SessionTraceNeeds.None, AccessLogFacts of = AccessLogFacts.None)
{
    public string Name { get; } = name;

    public byte[] Utf8Name { get; } = Encoding.ASCII.GetBytes(name);

    /// <summary>With what stands around it behind another field.</summary>
    public byte[] JsonName { get; } = Encoding.ASCII.GetBytes($",\"{name}\":");

    public SessionTraceNeeds Needs { get; } = needs;

    public AccessLogFacts Of { get; } = of;

    public void Write(AccessLogFormatter to, AccessLogRecord record) => write(to, this, record);
}
