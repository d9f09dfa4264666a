using System.Globalization;
using Dino.Train.Log;

namespace Dino.Cli.Terminal;

/// <summary>
/// Plain lines: the first after two seconds, then one every five, for logs and pipes. A line is no wider than a terminal usually is.
/// </summary>
/// <param name="writer">Where the lines go.</param>
/// <param name="clock">The time.</param>
/// <param name="columns">The width of a line.</param>
internal sealed class PlainProgress(TextWriter writer, TimeProvider clock, int columns = 80) : ProgressDisplay
{
    public override void Run(string name, long total, Action<ProgressTracker> work) =>
        work(new Tracker(writer, name, total, clock, columns));

    private sealed class Tracker(TextWriter writer, string name, long total, TimeProvider clock, int columns)
        : TimedTracker(total, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(2), clock)
    {
        public override void Note(string line)
        {
            lock (writer)
                writer.WriteLine(ScreenText.Escape(line));
        }

        private protected override int DetailColumns(long done, TimeSpan? left) =>
            columns - ScreenText.Columns(Head(done, left)) - ", ".Length;

        private protected override void Show(long done, string? detail, TimeSpan? left) =>
            Note(ScreenText.CutToColumns(Head(done, left), columns) + (detail is null or "" ? "" : $", {detail}"));

        private string Head(long done, TimeSpan? left)
        {
            string share = (100.0 * done / Math.Max(1, Total)).ToString("F0", CultureInfo.InvariantCulture);
            return $"{name} {done}/{Total} ({share} %){(left is { } time ? $", {HealthLine.Format(time)} left" : "")}";
        }
    }
}
