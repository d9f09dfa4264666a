using System.Text;

namespace Dino.Pictures.DataSets;

/// <summary>
/// Names as people see them: é is one character or an e with an accent behind it, depending on the system that wrote it, and is the same
/// name.
/// </summary>
internal static class NameForm
{
    /// <summary>Compares names by their canonical decomposition (Unicode, annex 15); see <see cref="CanonicalForms"/>.</summary>
    public static IEqualityComparer<string> Comparer { get; } = new SameName();

    /// <summary>The canonical decomposition, NFD.</summary>
    public static string Decompose(string name)
    {
        if (Ascii.IsValid(name) || !Dino.Tensors.Io.RawName.IsPlain(name))
            return name;
        var runes = new List<(Rune Rune, int Class)>(name.Length);
        foreach (var rune in name.EnumerateRunes())
            Append(rune.Value, runes);
        // Marks on one letter go by their class, those of a class as they stand.
        for (int i = 0; i < runes.Count;)
        {
            int end = i + 1;
            if (runes[i].Class > 0)
            {
                while (end < runes.Count && runes[end].Class > 0)
                    end++;
                var marks = runes[i..end].OrderBy(mark => mark.Class).ToArray();
                for (int mark = 0; mark < marks.Length; mark++)
                    runes[i + mark] = marks[mark];
            }
            i = end;
        }
        var text = new StringBuilder(name.Length + 8);
        foreach (var (rune, _) in runes)
            text.Append(rune);
        return text.ToString();
    }

    private static void Append(int value, List<(Rune Rune, int Class)> runes)
    {
        if (CanonicalForms.TryDecompose(value, out int first, out int second))
        {
            Append(first, runes);
            if (second != 0)
                Append(second, runes);
        }
        else
        {
            runes.Add((new Rune(value), CanonicalForms.ClassOf(value)));
        }
    }

    private sealed class SameName : IEqualityComparer<string>
    {
        public bool Equals(string? x, string? y) => x == y || (x is not null && y is not null && Decompose(x) == Decompose(y));

        public int GetHashCode(string name) => StringComparer.Ordinal.GetHashCode(Decompose(name));
    }
}
