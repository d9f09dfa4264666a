using Dino.Cli.Terminal;
using NUnit.Framework;

namespace Dino.Cli.Tests.Terminal;

/// <summary>Text of strangers can neither command a terminal nor break or bend a line.</summary>
public class ScreenTextTests
{
    [TestCase("plain äö 日本 🙂 a\\b", "plain äö 日本 🙂 a\\b")]
    [TestCase("a\u001b[31mb", @"a\x1b[31mb")]
    [TestCase("a\nb\r\tc", @"a\nb\r\tc")]
    [TestCase("\0\a\b\u007f", @"\x00\x07\x08\x7f")]
    [TestCase("\u0085\u009b31m", @"\x85\x9b31m")]
    [TestCase("gpj.\u202eevil", @"gpj.\u202eevil")]
    [TestCase("\u2066x\u2069\u202a\u2028\u2029", @"\u2066x\u2069\u202a\u2028\u2029")]
    [TestCase("a\u200bb\ufeff", @"a\u200bb\ufeff")]
    [TestCase("\U000e0041", @"\udb40\udc41")]
    [TestCase("👨\u200d👩", "👨\u200d👩")]
    public void WhatAScreenWouldObey_IsShown(string text, string shown) => Assert.That(ScreenText.Escape(text), Is.EqualTo(shown));

    [Test]
    public void HalvesOfAPair_AreShown() => Assert.That(ScreenText.Escape("a\ud83db\ude42"), Is.EqualTo(@"a\ud83db\ude42"));

    [Test]
    public void NoCharacterThatATerminalObeys_IsLeft()
    {
        for (int c = 0; c <= char.MaxValue; c++)
        {
            string shown = ScreenText.Escape(((char)c).ToString());
            Assert.That(shown.Any(char.IsControl) || shown.Any(char.IsSurrogate)
                || shown.Any(x => x is >= '\u202a' and <= '\u202e' or >= '\u2066' and <= '\u2069'), Is.False, $"U+{c:X4}");
        }
    }

    [Test]
    public void ALongText_LosesItsMiddle()
    {
        string cut = ScreenText.CutMiddle("start" + new string('x', 5000) + "end", 100);

        Assert.That(cut, Has.Length.EqualTo(100).And.StartsWith("start").And.EndsWith("end").And.Contains(" … "));
        Assert.That(ScreenText.CutMiddle("short", 100), Is.EqualTo("short"));
        foreach (int most in Enumerable.Range(20, 9))
            Assert.That(ScreenText.Escape(ScreenText.CutMiddle(string.Concat(Enumerable.Repeat("🙂", 50)), most)), Does.Not.Contain(@"\u"));
    }

    [Test]
    public void WideCharacters_TakeTwoColumns()
    {
        Assert.That(ScreenText.Columns("ab日本"), Is.EqualTo(6));
        Assert.That(ScreenText.CutToColumns("日本語の名前", 7), Is.EqualTo("日本語…"));
        Assert.That(ScreenText.CutToColumns("日本語", 6), Is.EqualTo("日本語"));
        Assert.That(ScreenText.CutToColumns("abc", 0), Is.Empty);
    }

    [Test]
    public void ALine_StaysOneLine_WhateverIsInIt()
    {
        using var text = new StringWriter { NewLine = "\n" };
        using var lines = new ScreenWriter(text, longest: 40);
        lines.WriteLine("a\nb\u001b]0;title\a");
        lines.WriteLine(new string('y', 100));
        lines.WriteLine();

        string[] written = text.ToString().Split('\n');
        Assert.That(written, Has.Length.EqualTo(4));
        Assert.That(written[0], Is.EqualTo(@"a\nb\x1b]0;title\x07"));
        Assert.That(written[1], Has.Length.EqualTo(40));
    }
}
