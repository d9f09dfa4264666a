using System.Globalization;

namespace Dino.Cli.Tests.Arguments;

/// <summary>Makes the thread that of a machine elsewhere: numbers with a decimal comma, until it is disposed.</summary>
internal sealed class OtherCulture : IDisposable
{
    private readonly CultureInfo before = CultureInfo.CurrentCulture;

    /// <summary>The separators of a country. They are set by hand: the program is built without the tables of countries.</summary>
    public OtherCulture(string name)
    {
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (culture.NumberFormat.NumberDecimalSeparator, culture.NumberFormat.NumberGroupSeparator) = name switch
        {
            "de-DE" or "tr-TR" => (",", "."),
            "fr-FR" => (",", "\u202f"),
            _ => throw new ArgumentException($"The separators of {name} are not known here.", nameof(name)),
        };
        culture.NumberFormat.NegativeSign = "−";
        CultureInfo.CurrentCulture = culture;
    }

    public void Dispose() => CultureInfo.CurrentCulture = before;
}
