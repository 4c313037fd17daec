using KestrelStream.Routing;
using Xunit;

namespace KestrelStream.Tests.Routing;

public class SniPatternTests
{
    [Theory]
    [InlineData("A.Example.com", SniPatternKind.Exact, "a.example.com", "a.example.com")]
    [InlineData("a.example.com.", SniPatternKind.Exact, "a.example.com", "a.example.com")]
    [InlineData("localhost", SniPatternKind.Exact, "localhost", "localhost")]
    [InlineData("_dns.x-1.test", SniPatternKind.Exact, "_dns.x-1.test", "_dns.x-1.test")]
    [InlineData("10.0.0.1.example", SniPatternKind.Exact, "10.0.0.1.example", "10.0.0.1.example")]
    [InlineData("xn--bcher-kva.example", SniPatternKind.Exact, "xn--bcher-kva.example", "xn--bcher-kva.example")]
    [InlineData("*.Example.com.", SniPatternKind.Suffix, "example.com", "*.example.com")]
    [InlineData("*.com", SniPatternKind.Suffix, "com", "*.com")]
    [InlineData(".example.com", SniPatternKind.ExactAndSuffix, "example.com", "example.com *.example.com")]
    [InlineData("Mail.*", SniPatternKind.Prefix, "mail", "mail.*")]
    [InlineData("mail.in.*", SniPatternKind.Prefix, "mail.in", "mail.in.*")]
    [InlineData("~^App[0-9]+", SniPatternKind.Regex, "^App[0-9]+", "~^App[0-9]+")]
    internal void TryParse_Pattern_IsBroughtToOneWriting(string text, SniPatternKind kind, string key, string forms)
    {
        Assert.True(SniPattern.TryParse(text, out var pattern, out var error), error);

        Assert.Equal(kind, pattern!.Kind);
        Assert.Equal(key, pattern.Key);
        Assert.Equal(forms, string.Join(' ', pattern.Forms));
        Assert.Equal(kind == SniPatternKind.Regex, pattern.Regex is not null);
    }

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData(".", "it is empty")]
    [InlineData("*", "leave Sni out")]
    [InlineData("*.", "leave Sni out")]
    [InlineData("..", "it is empty")]
    [InlineData("a..b", "two dots")]
    [InlineData("a.test..", "two dots")]
    [InlineData("*..test", "two dots")]
    [InlineData("*.*", "a * stands only")]
    [InlineData("*a.test", "a * stands only")]
    [InlineData("a*", "a * stands only")]
    [InlineData("*.a.*", "a * stands only")]
    [InlineData(".a.*", "a * stands only")]
    [InlineData("a/b", "\"/\" cannot")]
    [InlineData("a\0b", "\"\\u0000\" cannot")]
    [InlineData("[::1]", "\"[\" cannot")]
    [InlineData("192.0.2.1", "IP address")]
    [InlineData("Bücher.example", "\"xn--bcher-kva.example\"")]
    [InlineData("*.BÜCHER.example", "\"xn--bcher-kva.example\"")]
    [InlineData("~", "is empty")]
    [InlineData("~*x", "case is ignored anyway")]
    [InlineData("~[", "Unterminated")]
    [InlineData(@"~(a)\1", "NonBacktracking")]
    public void TryParse_NoPattern_SaysWhy(string text, string reason)
    {
        Assert.False(SniPattern.TryParse(text, out var pattern, out var error));

        Assert.Null(pattern);
        Assert.Contains(reason, error, StringComparison.Ordinal);
    }

    [Fact]
    public void TryParse_LongestNameAndLabel_AreTheLast()
    {
        var label = new string('a', 63);
        var longest = $"{label}.{label}.{label}.{new string('a', 61)}";

        Assert.True(SniPattern.TryParse(longest, out _, out _));
        Assert.True(SniPattern.TryParse(longest + ".", out _, out _));
        Assert.False(SniPattern.TryParse(longest + "a", out _, out _));
        Assert.False(SniPattern.TryParse("*." + longest, out _, out _));
        Assert.True(SniPattern.TryParse("*." + longest[2..], out _, out _));
        Assert.False(SniPattern.TryParse("a" + label, out _, out _));
    }
}
