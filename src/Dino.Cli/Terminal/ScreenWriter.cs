using System.Text;
using Dino.Cli.Arguments;

namespace Dino.Cli.Terminal;

/// <summary>
/// Writes lines for a person. What is given to one call is one line: characters that a screen would obey are escaped, a line break among
/// them, so that no name of a file can be more than a name. Where a library names a property, the line names the option.
/// </summary>
/// <param name="inner">Where the lines go.</param>
/// <param name="longest">Most characters of a line; the middle of longer ones is left out.</param>
public sealed class ScreenWriter(TextWriter inner, int longest = int.MaxValue) : TextWriter
{
    /// <inheritdoc/>
    public override Encoding Encoding => inner.Encoding;

    /// <inheritdoc/>
    public override void Write(char value) => inner.Write(ScreenText.Escape(value.ToString()));

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    /// <inheritdoc/>
    public override void Write(string? value) => inner.Write(ScreenText.Escape(value ?? ""));

    /// <inheritdoc/>
    public override void WriteLine() => inner.WriteLine();

    /// <inheritdoc/>
    public override void WriteLine(string? value) =>
        inner.WriteLine(ScreenText.CutMiddle(ScreenText.Escape(OptionNames.InText(value ?? "")), longest));

    /// <inheritdoc/>
    public override void Flush() => inner.Flush();
}
