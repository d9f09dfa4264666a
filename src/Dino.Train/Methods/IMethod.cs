using Dino.Model;
using Dino.Model.Weights;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Tensors;
using Dino.Train.Log;
using Dino.Train.Options;
using Dino.Train.Runs;

namespace Dino.Train.Methods;

/// <summary>
/// A way to learn from pictures without labels. It says which views of a picture it wants and how a batch of them becomes gradients and a
/// step;
/// <see cref="Trainer"/>, checkpoints, log and evaluations work from that, and know of no method.
/// </summary>
/// <remarks>
/// A step is <see cref="Learn"/> once for each of its batches, and then <see cref="Update"/>. <see cref="TrainOptions.Build"/> makes a
/// method; what only some have is an interface of its own: <see cref="IWarmUp"/>, <see cref="IInitializable"/>, <see cref="ISearchable"/>.
/// </remarks>
public interface IMethod : IDisposable
{
    /// <summary>The crops of every picture.</summary>
    IReadOnlyList<View> Views { get; }

    /// <summary>
    /// Adds the gradients of one batch; the mean over the batches and ranks of a step is <see cref="StepInfo.LossWeight"/>.
    /// </summary>
    /// <param name="views">The crops, in the order of <see cref="Views"/>; they are overwritten by the next batch.</param>
    /// <param name="step">Which step and batch it is, and its rates.</param>
    void Learn(ViewBatch views, in StepInfo step);

    /// <summary>
    /// Sums the gradients over the ranks, moves the weights by them and whatever else a step moves (an average, a centre, a queue), sets
    /// the gradients to 0, and ends the step of <see cref="Measured"/>.
    /// </summary>
    /// <param name="step">Which step it is, and its rates.</param>
    void Update(in StepInfo step);

    /// <summary>The network that is evaluated, and that the run is for.</summary>
    Backbone Evaluated { get; }

    /// <summary>
    /// All that a checkpoint must hold for a run to go on to the same bits. With several ranks it is the same on all:
    /// rank 0's is written, and all load it.
    /// </summary>
    IEnumerable<IState> State { get; }

    /// <summary>What the steps measure.</summary>
    Measurements Measured { get; }

    /// <summary>Looks at a step's numbers, in their order. Properties stand in backticks.</summary>
    /// <returns>What a person should know of how the run does; null for nothing.</returns>
    string? Health(StepRow row) => null;

    /// <summary>Lets go of a step that was broken off in <see cref="Learn"/>; nothing is learned afterwards.</summary>
    /// <returns>Whether <see cref="State"/> is as after the last <see cref="Update"/>, so that it can be saved.</returns>
    bool Abandon() => false;

    /// <summary>The size of what is trained, in words: <c>10,808 parameters</c>.</summary>
    string Summary => FormattableString.Invariant($"{Evaluated.Parameters.Sum(parameter => (long)parameter.Shape.Count):N0} parameters");
}

/// <summary>What a method is made with.</summary>
/// <param name="Device">Where it computes.</param>
/// <param name="StepsPerEpoch">Optimizer steps of an epoch.</param>
public sealed record MethodContext(Device Device, int StepsPerEpoch)
{
    /// <summary>Who trains together; sums over the whole batch go through it.</summary>
    public IRanks Ranks { get; init; } = OneRank.Instance;
}

/// <summary>A method that looks at some batches before its first step.</summary>
public interface IWarmUp
{
    /// <summary>The batches that it wants to see; 0 for none. The run sees them again.</summary>
    int WarmUpBatches { get; }

    /// <summary>Looks at a batch.</summary>
    void WarmUp(ViewBatch views);

    /// <summary>Ends it, after the last of them.</summary>
    void EndWarmUp();
}

/// <summary>A method that can begin with the weights of a file.</summary>
public interface IInitializable
{
    /// <summary>Sets the first weights. What the file has not keeps its first values.</summary>
    /// <param name="file">The file.</param>
    /// <param name="allowPartial">Whether tensors may be missing, unexpected or misshapen; otherwise all are named and nothing is
    /// changed.</param>
    /// <returns>What was set from what.</returns>
    /// <exception cref="WeightsException">The file does not fit.</exception>
    InitializationNote Initialize(Initialization file, bool allowPartial);
}

/// <summary>A method that says where a number that is not finite may have come from.</summary>
public interface ISearchable
{
    /// <summary>What a step reads and writes, in that order: the first of it that is not finite is the one to blame.</summary>
    /// <param name="views">The crops of the step.</param>
    IEnumerable<SearchedTensor> Searched(ViewBatch views);

    /// <summary>The parameters in the order of the gradient norms.</summary>
    IReadOnlyList<Tensors.Nn.Parameter> Trained { get; }
}
