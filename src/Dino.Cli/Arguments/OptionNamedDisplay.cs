using Dino.Train.Log;

namespace Dino.Cli.Arguments;

/// <summary>A display whose notes name options where a library's name properties: <see cref="OptionNames"/>.</summary>
internal sealed class OptionNamedDisplay(ProgressDisplay shown) : ProgressDisplay
{
    public override void Run(string name, long total, Action<ProgressTracker> work) =>
        shown.Run(name, total, tracker => work(new Tracker(tracker)));

    private sealed class Tracker(ProgressTracker shown) : ProgressTracker(shown.Total)
    {
        public override void StartAt(long done) => shown.StartAt(done);

        public override void Report(long done, string? detail = null) => shown.Report(done, detail);

        public override void Report(long done, in StepRow row) => shown.Report(done, row);

        public override void Note(string line) => shown.Note(OptionNames.InText(line));
    }
}
