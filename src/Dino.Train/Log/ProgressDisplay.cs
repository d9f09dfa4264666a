namespace Dino.Train.Log;

/// <summary>Shows how far a piece of work is.</summary>
public abstract class ProgressDisplay
{
    /// <summary>Runs the work on the calling thread and shows its progress until it returns or throws.</summary>
    /// <param name="name">What is done, in a word or two.</param>
    /// <param name="total">How many parts there are.</param>
    /// <param name="work">The work; it reports to the tracker as it goes.</param>
    public abstract void Run(string name, long total, Action<ProgressTracker> work);
}
