using System.Globalization;
using System.Text;
using Spectre.Console;

namespace Dino.Cli.Terminal;

/// <summary>
/// Text of strangers for a person's screen: names of files, tensors and classes, reasons of other programs. A terminal obeys control
/// characters, and marks of direction make a name read as another.
/// </summary>
public static class ScreenText
{
    private const char Ellipsis = '…';

    /// <summary>
    /// The text with every character that a screen would obey and not show as an escape: <c>\n</c>, <c>\x1b</c>, <c>\u202e</c>.
    /// </summary>
    public static string Escape(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (IsObeyed(text, i))
                return EscapeFrom(text, i);
        }
        return text;
    }

    /// <summary>
    /// The text, or its beginning and its end around an ellipsis where it is longer than <paramref name="most"/> characters.
    /// </summary>
    public static string CutMiddle(string text, int most)
    {
        if (text.Length <= most)
            return text;
        int head = 2 * (most - 3) / 3, tail = most - 3 - head;
        if (char.IsHighSurrogate(text[head - 1]))
            head--;
        if (char.IsLowSurrogate(text[^tail]))
            tail--;
        return $"{text[..head]} {Ellipsis} {text[^tail..]}";
    }

    /// <summary>
    /// The columns of a terminal that a text takes: two for a wide character of East Asia, none for a mark above another.
    /// </summary>
    public static int Columns(string text) => text.GetCellWidth();

    /// <summary>The beginning of a text that fits into so many columns, with an ellipsis where something was left out.</summary>
    public static string CutToColumns(string text, int columns)
    {
        if (Columns(text) <= columns)
            return text;
        var kept = new StringBuilder();
        int taken = 0;
        for (var parts = StringInfo.GetTextElementEnumerator(text); parts.MoveNext();)
        {
            string part = parts.GetTextElement();
            taken += Columns(part);
            if (taken > columns - 1)
                break;
            kept.Append(part);
        }
        return columns < 1 ? "" : kept.Append(Ellipsis).ToString();
    }

    private static string EscapeFrom(string text, int first)
    {
        var escaped = new StringBuilder(text, 0, first, text.Length + 16);
        for (int i = first; i < text.Length; i++)
        {
            char c = text[i];
            if (!IsObeyed(text, i))
                escaped.Append(c);
            else if (c is '\n' or '\r' or '\t')
                escaped.Append(c switch { '\n' => @"\n", '\r' => @"\r", _ => @"\t" });
            else if (c <= 0xff)
                escaped.Append(CultureInfo.InvariantCulture, $@"\x{(int)c:x2}");
            else
                escaped.Append(CultureInfo.InvariantCulture, $@"\u{(int)c:x4}");
        }
        return escaped.ToString();
    }

    // Joiners (U+200C, U+200D) belong to the spelling of some languages and stay.
    private static bool IsObeyed(string text, int at) => text[at] switch
    {
        < ' ' or (>= '\x7f' and <= '\x9f') => true,
        < '\u061c' => false,
        '\u061c' or '\u200b' or '\u200e' or '\u200f' or '\ufeff' => true,
        >= '\u2028' and <= '\u202e' => true,
        >= '\u2060' and <= '\u206f' => true,
        >= '\ufff9' and <= '\ufffb' => true,
        // Tags (U+E0000 and on), which are not shown, and halves of a pair.
        '\udb40' => true,
        var c when char.IsHighSurrogate(c) => at + 1 == text.Length || !char.IsLowSurrogate(text[at + 1]),
        var c when char.IsLowSurrogate(c) => at == 0 || !char.IsHighSurrogate(text[at - 1]) || text[at - 1] == '\udb40',
        _ => false,
    };
}
