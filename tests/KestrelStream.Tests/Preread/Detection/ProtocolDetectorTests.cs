using KestrelStream.Configuration;
using KestrelStream.Preread.Detection;
using Xunit;

namespace KestrelStream.Tests.Preread.Detection;

/// <summary>Each detector by samples, by every cut of them, and by seeded mutation.</summary>
public class ProtocolDetectorTests
{
    private static readonly ClientProtocol[] Told = [.. Enum.GetValues<ClientProtocol>().Where(ProtocolDetector.IsToldByBytes)];

    [Fact]
    public void Judge_WholeSamples_AreOfTheirProtocolAlone()
    {
        foreach (var (protocol, bytes) in ProtocolSamples.All)
        {
            foreach (var asked in Told)
            {
                var expected = asked == protocol ? ProtocolVerdict.Yes : ProtocolVerdict.No;
                Assert.True(expected == ProtocolDetector.Judge(asked, bytes), $"{asked} says {ProtocolDetector.Judge(asked, bytes)} to {Show(bytes)}");
            }
        }
    }

    [Fact]
    public void Judge_WhatOnlyLooksLikeOne_IsNone()
    {
        foreach (var bytes in ProtocolSamples.None)
        {
            Assert.All(Told, asked => Assert.True(ProtocolDetector.Judge(asked, bytes) == ProtocolVerdict.No, $"{asked} says {ProtocolDetector.Judge(asked, bytes)} to {Show(bytes)}"));
        }
    }

    [Fact]
    public void Judge_EveryCut_WaitsAndThenStaysWithItsVerdict()
    {
        foreach (var bytes in ProtocolSamples.All.Select(sample => sample.Bytes).Concat(ProtocolSamples.None))
        {
            AssertFinal(bytes);
        }
    }

    [Fact]
    public void Judge_SeededMutations_NeverTakesAVerdictBack()
    {
        var random = new Random(20260202);
        var samples = ProtocolSamples.All.Select(sample => sample.Bytes).Where(bytes => bytes.Length < 200).ToArray();
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = (byte[])samples[random.Next(samples.Length)].Clone();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            AssertFinal(bytes.AsSpan(0, random.Next(1, bytes.Length + 1)));
        }
    }

    [Theory]
    [InlineData("text:EHLO ", "45484c4f20")]
    [InlineData("text:ä", "c3a4")]
    [InlineData("hex:00 ff 1A", "00ff1a")]
    [InlineData("hex:00ff", "00ff")]
    public void FirstBytes_RightPatterns_AreCompared(string text, string bytes)
    {
        Assert.True(FirstBytesPattern.TryParse(text, out var pattern, out _));
        Assert.Equal(bytes, pattern!.Key);
        var expected = Convert.FromHexString(bytes);
        Assert.Equal(ProtocolVerdict.Yes, pattern.Judge([.. expected, 1]));
        Assert.Equal(ProtocolVerdict.NeedMore, pattern.Judge(expected.AsSpan()[..^1]));
        Assert.Equal(ProtocolVerdict.No, pattern.Judge([.. expected.AsSpan()[..^1], (byte)(expected[^1] ^ 1)]));
    }

    [Theory]
    [InlineData("EHLO")]
    [InlineData("text:")]
    [InlineData("hex:")]
    [InlineData("hex:0")]
    [InlineData("hex:0g")]
    [InlineData("HEX:00")]
    public void FirstBytes_WrongPatterns_SayWhy(string text)
    {
        Assert.False(FirstBytesPattern.TryParse(text, out _, out var error));
        Assert.NotEmpty(error!);
    }

    [Fact]
    public void FirstBytes_LongerThanAllowed_IsRefused()
    {
        Assert.True(FirstBytesPattern.TryParse("text:" + new string('a', FirstBytesPattern.MaxBytes), out _, out _));
        Assert.False(FirstBytesPattern.TryParse("text:" + new string('a', FirstBytesPattern.MaxBytes + 1), out _, out _));
    }

    private static void AssertFinal(ReadOnlySpan<byte> bytes)
    {
        foreach (var protocol in Told)
        {
            var last = ProtocolVerdict.NeedMore;
            for (var length = 1; length <= bytes.Length; length++)
            {
                var verdict = ProtocolDetector.Judge(protocol, bytes[..length]);
                Assert.True(last == ProtocolVerdict.NeedMore || verdict == last, $"{protocol}: {last}, then {verdict} at byte {length} of {Show(bytes)}");
                last = verdict;
            }
        }
    }

    private static string Show(ReadOnlySpan<byte> bytes) => Convert.ToHexString(bytes[..Math.Min(bytes.Length, 64)]);
}
