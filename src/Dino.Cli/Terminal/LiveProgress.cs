using Dino.Train.Log;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Dino.Cli.Terminal;

/// <summary>A bar that moves, and a line of details below it, on a terminal of any width.</summary>
internal sealed class LiveProgress(IAnsiConsole console) : ProgressDisplay
{
    // The share (100%) and the time left (100:00:00), each with the space before it.
    private const int PercentageColumns = 5, TimeColumns = 10, WidestBar = 24;

    public override void Run(string name, long total, Action<ProgressTracker> work)
    {
        var tracker = new Tracker(console, name, total);
        int rest = console.Profile.Width - Tracker.WidestHead(name, total) - PercentageColumns - TimeColumns - 1;
        var columns = new List<ProgressColumn> { new TaskDescriptionColumn { Alignment = Justify.Left } };
        if (rest > 4)
            columns.Add(new ProgressBarColumn { Width = Math.Min(WidestBar, rest - 1) });
        columns.Add(new PercentageColumn());
        if (rest >= 0)
            columns.Add(new TimeLeftColumn(tracker));
        var progress = console.Progress().AutoClear(false).HideCompleted(false).Columns([.. columns]);
        progress.RenderHook = (bars, _) => tracker.Detail is { Length: > 0 } detail
            ? new Rows(bars, new Text(detail) { Overflow = Overflow.Ellipsis }) : bars;
        progress.Start(context =>
        {
            tracker.Attach(context);
            work(tracker);
        });
    }

    private sealed class Tracker(IAnsiConsole console, string name, long total)
        : TimedTracker(total, TimeSpan.FromMilliseconds(200), TimeSpan.Zero, TimeProvider.System)
    {
        private ProgressTask? task;

        public string? Detail { get; private set; }

        public TimeSpan? Left { get; private set; }

        public static int WidestHead(string name, long total) => ScreenText.Columns(Head(name, total, total));

        public void Attach(ProgressContext context) => task = context.AddTask(Markup.Escape(Shown(0)), maxValue: Math.Max(1, Total));

        public override void Note(string line) => console.WriteLine(ScreenText.Escape(line));

        private protected override int DetailColumns(long done, TimeSpan? left) => console.Profile.Width - 1;

        private protected override void Show(long done, string? detail, TimeSpan? left)
        {
            (Detail, Left) = (detail, left);
            task!.Value = done;
            task.Description = Markup.Escape(Shown(done));
        }

        private static string Head(string name, long done, long total) => $"{name} {done}/{total}";

        private string Shown(long done) => ScreenText.CutToColumns(
            Head(name, done, Total), Math.Max(1, console.Profile.Width - PercentageColumns));
    }

    /// <summary>The tracker's own estimate: the library's takes the parts of an earlier run for those of this one.</summary>
    private sealed class TimeLeftColumn(Tracker tracker) : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(tracker.Left is { } left ? HealthLine.Format(left) : "--:--", new Style(Color.Blue));

        public override int? GetColumnWidth(RenderOptions options) => TimeColumns - 1;
    }
}
