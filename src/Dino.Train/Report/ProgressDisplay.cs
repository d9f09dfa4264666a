using System.Globalization;
using Spectre.Console;

namespace Dino.Train.Report;

/// <summary>Shows how far a piece of work is: a live bar on a terminal, a plain line every few seconds elsewhere.</summary>
public abstract class ProgressDisplay
{
    /// <summary>The display that suits where the writer leads to.</summary>
    public static ProgressDisplay For(TextWriter writer)
    {
        bool terminal = ReferenceEquals(writer, Console.Out) ? !Console.IsOutputRedirected
            : ReferenceEquals(writer, Console.Error) && !Console.IsErrorRedirected;
        if (!terminal)
            return new PlainProgress(writer, TimeProvider.System);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });
        return console.Profile.Capabilities.Interactive ? new LiveProgress(console) : new PlainProgress(writer, TimeProvider.System);
    }

    /// <summary>Runs the work on the calling thread and shows its progress until it returns or throws.</summary>
    /// <param name="name">What is done, in a word or two.</param>
    /// <param name="total">How many parts there are.</param>
    /// <param name="work">The work; it reports to the tracker as it goes.</param>
    public abstract void Run(string name, long total, Action<ProgressTracker> work);

    private sealed class LiveProgress(IAnsiConsole console) : ProgressDisplay
    {
        public override void Run(string name, long total, Action<ProgressTracker> work) =>
            console.Progress().AutoClear(false).HideCompleted(false)
                .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 24 },
                    new PercentageColumn(), new RemainingTimeColumn())
                .Start(context => work(new LiveTracker(console, name, total, context)));
    }

    private sealed class LiveTracker : ProgressTracker
    {
        private readonly IAnsiConsole console;
        private readonly ProgressTask task;
        private readonly string name;

        public LiveTracker(IAnsiConsole console, string name, long total, ProgressContext context)
            : base(total, TimeSpan.FromMilliseconds(200), TimeSpan.Zero, TimeProvider.System)
        {
            (this.console, this.name) = (console, name);
            task = context.AddTask(Markup.Escape(name), maxValue: Math.Max(1, total));
        }

        public override void Note(string line) => console.WriteLine(line);

        private protected override void Show(long done, string? detail, TimeSpan? left)
        {
            task.Value = done;
            task.Description = Markup.Escape(detail is null ? name : $"{name} {done}/{Total}\n{detail}");
        }
    }
}

/// <summary>What a piece of work tells its progress to. Reports may come from any thread, as often as is handy.</summary>
public abstract class ProgressTracker
{
    private readonly TimeProvider clock;
    private readonly TimeSpan interval;
    private readonly long started;
    private readonly Lock gate = new();
    private TimeSpan next;

    private protected ProgressTracker(long total, TimeSpan interval, TimeSpan first, TimeProvider clock)
    {
        (Total, this.interval, next, this.clock) = (total, interval, first, clock);
        started = clock.GetTimestamp();
    }

    /// <summary>How many parts there are.</summary>
    public long Total { get; }

    /// <summary>Says that so many parts are done.</summary>
    public void Report(long done, string? detail = null)
    {
        if (IsDue(done, out var left))
            Show(done, detail, left);
    }

    /// <summary>Says that a training step is done; text is made only when it is time to show some.</summary>
    public void Report(long done, in StepReport report)
    {
        if (IsDue(done, out var left))
            Show(done, HealthLine.Format(report), report.TimeLeft ?? left);
    }

    /// <summary>Writes a line that stays.</summary>
    public abstract void Note(string line);

    private protected abstract void Show(long done, string? detail, TimeSpan? left);

    private bool IsDue(long done, out TimeSpan? left)
    {
        lock (gate)
        {
            var elapsed = clock.GetElapsedTime(started);
            left = done > 0 ? elapsed * ((double)(Total - done) / done) : null;
            // The end of something that was shown is shown too.
            if (elapsed < next && !(done == Total && next > interval))
                return false;
            next = elapsed + interval;
            return true;
        }
    }
}

/// <summary>Plain lines: the first after two seconds, then one every five, for logs and pipes.</summary>
internal sealed class PlainProgress(TextWriter writer, TimeProvider clock) : ProgressDisplay
{
    public override void Run(string name, long total, Action<ProgressTracker> work) => work(new Tracker(writer, name, total, clock));

    private sealed class Tracker(TextWriter writer, string name, long total, TimeProvider clock)
        : ProgressTracker(total, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(2), clock)
    {
        public override void Note(string line)
        {
            lock (writer)
                writer.WriteLine(line);
        }

        private protected override void Show(long done, string? detail, TimeSpan? left)
        {
            string share = (100.0 * done / Math.Max(1, Total)).ToString("F0", CultureInfo.InvariantCulture);
            Note($"{name} {done}/{Total} ({share} %){(left is { } time ? $", {HealthLine.Format(time)} left" : "")}"
                + (detail is null ? "" : $", {detail}"));
        }
    }
}
