using System.Buffers;
using System.IO.Pipelines;

namespace KestrelStream.Transport;

/// <summary>A <see cref="StreamConnection"/> as a pipe, for pipeline steps that want to look at bytes. Made only when one asks.</summary>
internal sealed class StreamConnectionPipe : IDuplexPipe
{
    /// <param name="connection">Whose bytes.</param>
    /// <param name="first">Received before.</param>
    public StreamConnectionPipe(StreamConnection connection, ReadOnlyMemory<byte> first)
    {
        var stream = new StreamConnectionStream(connection, first);
        // leaveOpen: a step that completes its pipe must not close a connection that its session owns.
        Input = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));
        Output = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));
    }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    /// <summary>Everything received and not consumed; the pipe must not be read from afterwards.</summary>
    public ReadOnlyMemory<byte> TakeUnconsumed()
    {
        // A step that ends with AdvanceTo(consumed, end) has told the reader that it has seen all: TryRead then has
        // nothing new to say. Advancing nothing after a cancelled read makes the rest readable again.
        Input.CancelPendingRead();
        if (!Input.TryRead(out var result) || result.Buffer.IsEmpty)
        {
            return default;
        }

        var bytes = result.Buffer.ToArray();
        Input.AdvanceTo(result.Buffer.End);
        return bytes;
    }
}
