using System.Globalization;

namespace Dino.Pictures.DataSets;

/// <summary>
/// What Unicode says of canonical decomposition (annex 15). .NET leaves that to a system library that need not be there, and without one
/// returns every
/// name as it is; so the tables are in the file beside this one.
/// </summary>
internal static class CanonicalForms
{
    // Hangul syllables are numbered by their letters: first, vowel, last or none.
    private const int Syllables = 0xAC00, Leads = 0x1100, Vowels = 0x1161, Tails = 0x11A7, VowelCount = 21, TailCount = 28,
        SyllableCount = 19 * 21 * 28;

    private static readonly Dictionary<int, (int First, int Second)> parts = [];
    private static readonly Dictionary<int, byte> classes = [];

    static CanonicalForms()
    {
        using var stream = typeof(CanonicalForms).Assembly.GetManifestResourceStream("CanonicalForms.txt")!;
        using var lines = new StreamReader(stream);
        bool ofClasses = false;
        while (lines.ReadLine() is { } line)
        {
            if (line.StartsWith('#'))
                continue;
            if (line == "=")
            {
                ofClasses = true;
                continue;
            }
            string[] fields = line.Split(' ');
            int first = Character(fields[0]), second = Character(fields[1]);
            if (!ofClasses)
                parts.Add(first, (second, fields.Length > 2 ? Character(fields[2]) : 0));
            else
                for (int character = first; character <= second; character++)
                    classes.Add(character, byte.Parse(fields[2], CultureInfo.InvariantCulture));
        }
    }

    /// <summary>The one or two characters that a character is made of, which may be made of others in turn.</summary>
    /// <returns>Whether it is made of others.</returns>
    /// <param name="character">A code point.</param>
    /// <param name="first">The first part.</param>
    /// <param name="second">The second; 0 if there is none.</param>
    public static bool TryDecompose(int character, out int first, out int second)
    {
        int syllable = character - Syllables;
        if (syllable is >= 0 and < SyllableCount)
        {
            int tail = syllable % TailCount, vowel = syllable / TailCount % VowelCount;
            (first, second) = tail > 0
                ? (character - tail, Tails + tail)
                : (Leads + syllable / TailCount / VowelCount, Vowels + vowel);
            return true;
        }
        bool found = parts.TryGetValue(character, out var pair);
        (first, second) = pair;
        return found;
    }

    /// <summary>
    /// The combining class: 0 for what stands alone; marks of different classes on one letter may be written in any order.
    /// </summary>
    public static int ClassOf(int character) => classes.GetValueOrDefault(character);

    private static int Character(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
