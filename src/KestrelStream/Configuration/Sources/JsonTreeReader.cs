using System.Buffers;
using System.Text.Json;

namespace KestrelStream.Configuration.Sources;

/// <summary>
/// A JSON file as <c>AddJsonFile</c> understands it, read token by token through a small buffer: .NET's provider makes a path of every key, which
/// for 10,000 routes is a hundred megabytes to throw away. One per file, used by one thread.
/// </summary>
internal sealed class JsonTreeReader
{
    private static readonly JsonReaderOptions s_options = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    private readonly JsonTreeBuilder _tree = new();
    private readonly RecentStrings _strings = new();

    private JsonTreeReader()
    {
    }

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>The keys at the top, under a node without a key.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    /// <exception cref="FormatException">It is no object, or a key is there twice: .NET would merge two maps into one.</exception>
    public static ConfigNode Read(Stream stream, int bufferSize = 16 * 1024) => new JsonTreeReader().ReadAll(stream, bufferSize);

    private ConfigNode ReadAll(Stream stream, int bufferSize)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(bufferSize);
        try
        {
            var state = new JsonReaderState(s_options);
            var count = stream.ReadAtLeast(buffer.AsSpan(0, bufferSize), ByteOrderMark.Length, throwOnEndOfStream: false);
            var start = buffer.AsSpan(0, count).StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0;
            for (var isEnd = false; ;)
            {
                var reader = new Utf8JsonReader(buffer.AsSpan(start, count - start), isEnd, state);
                while (reader.Read())
                {
                    Take(ref reader);
                }

                if (isEnd)
                {
                    return _tree.Build();
                }

                state = reader.CurrentState;
                start += (int)reader.BytesConsumed;
                count -= start;
                buffer = WithRoomAfter(buffer, start, count);
                start = 0;
                var read = stream.Read(buffer, count, buffer.Length - count);
                isEnd = read == 0;
                count += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>What is left comes to the front, for the token in it to be completed; a token as long as the buffer needs a larger one.</summary>
    private static byte[] WithRoomAfter(byte[] buffer, int start, int count)
    {
        if (count < buffer.Length)
        {
            buffer.AsSpan(start, count).CopyTo(buffer);
            return buffer;
        }

        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }

    private void Take(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                _tree.Key(Text(ref reader));
                break;
            case JsonTokenType.StartObject:
                _tree.StartMap();
                break;
            case JsonTokenType.StartArray:
                _tree.StartList();
                break;
            case JsonTokenType.EndObject:
            case JsonTokenType.EndArray:
                _tree.End();
                break;
            case JsonTokenType.True:
                _tree.Value(bool.TrueString, JsonValueKind.True);
                break;
            case JsonTokenType.False:
                _tree.Value(bool.FalseString, JsonValueKind.False);
                break;
            case JsonTokenType.Null:
                _tree.Value(null, JsonValueKind.Null);
                break;
            case JsonTokenType.Number:
                _tree.Value(_strings.Get(reader.ValueSpan), JsonValueKind.Number);
                break;
            default:
                _tree.Value(Text(ref reader), JsonValueKind.String);
                break;
        }
    }

    private string Text(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            return _strings.Get(reader.ValueSpan);
        }

        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            // Half of a surrogate pair.
            throw new FormatException(e.Message, e);
        }
    }
}
