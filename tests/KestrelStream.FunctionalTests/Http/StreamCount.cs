namespace KestrelStream.FunctionalTests.Http;

/// <summary>Reads a stream to its end.</summary>
internal static class StreamCount
{
    public static async Task<long> CountAsync(this Stream stream)
    {
        var buffer = new byte[32 * 1024];
        var count = 0L;
        while (await stream.ReadAsync(buffer) is > 0 and var read)
        {
            count += read;
        }

        return count;
    }
}
