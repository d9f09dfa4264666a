using System.Text;

namespace Dino.Cli.Terminal;

/// <summary>
/// A writer whose end may fail: a full disk, a terminal that was closed. What cannot be written is lost and the first reason is kept, so
/// that
/// hours of work do not end because nobody reads about them. Safe to use from many threads.
/// </summary>
public sealed class SturdyWriter : TextWriter
{
    private readonly Lock gate = new();

    /// <summary>A writer in front of another.</summary>
    public SturdyWriter(TextWriter inner)
    {
        Inner = inner;
        NewLine = inner.NewLine;
    }

    /// <summary>The writer that it stands before.</summary>
    public TextWriter Inner { get; }

    /// <summary>Why something was lost; null when all was written.</summary>
    public Exception? Failure { get; private set; }

    /// <inheritdoc/>
    public override Encoding Encoding => Inner.Encoding;

    /// <inheritdoc/>
    public override void Write(char value) => Try(value, static (inner, value) => inner.Write(value));

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) =>
        Try((buffer, index, count), static (inner, text) => inner.Write(text.buffer, text.index, text.count));

    /// <inheritdoc/>
    public override void Write(string? value) => Try(value, static (inner, value) => inner.Write(value));

    /// <inheritdoc/>
    public override void WriteLine() => Try(0, static (inner, _) => inner.WriteLine());

    /// <inheritdoc/>
    public override void WriteLine(string? value) => Try(value, static (inner, value) => inner.WriteLine(value));

    /// <inheritdoc/>
    public override void Flush() => Try(0, static (inner, _) => inner.Flush());

    private void Try<T>(T what, Action<TextWriter, T> write)
    {
        lock (gate)
        {
            try
            {
                write(Inner, what);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
            {
                Failure ??= e;
            }
        }
    }
}
