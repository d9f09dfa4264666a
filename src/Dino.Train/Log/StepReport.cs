namespace Dino.Train.Log;

/// <summary>How a training step went. Numbers that were not measured are NaN.</summary>
/// <param name="Step">Number of the step, from 0.</param>
/// <param name="Epoch">Number of the epoch, from 0.</param>
/// <param name="Loss">Mean cross-entropy H(teacher, student) over the pairs of crops, nats.</param>
/// <param name="TeacherEntropy">Mean entropy of the teacher's distributions, nats (paper section 5.3).</param>
/// <param name="KlDivergence">Mean KL(teacher‖student), nats (paper section 5.3).</param>
/// <param name="LogPrototypes">ln K: the entropy of the uniform distribution, nats.</param>
/// <param name="CentreNorm">L2 norm of the centre.</param>
/// <param name="GradientNorm">L2 norm of the whole gradient before clipping.</param>
/// <param name="LearningRate">Learning rate of the step.</param>
/// <param name="WeightDecay">Weight decay of the step.</param>
/// <param name="Momentum">Momentum of the teacher's average.</param>
/// <param name="TeacherTemperature">Temperature of the teacher's softmax.</param>
/// <param name="ImagesPerSecond">Source images a second, lately.</param>
/// <param name="TimeLeft">Time until the run is done at this speed; null when unknown.</param>
public readonly record struct StepReport(
    long Step,
    int Epoch,
    double Loss,
    double TeacherEntropy,
    double KlDivergence,
    double LogPrototypes,
    double CentreNorm,
    double GradientNorm,
    double LearningRate,
    double WeightDecay,
    double Momentum,
    double TeacherTemperature,
    double ImagesPerSecond,
    TimeSpan? TimeLeft = null)
{
    /// <summary>ln K − loss: near 0 when student and teacher are both uniform.</summary>
    public double DistanceToUniform => LogPrototypes - Loss;
}

/// <summary>How an epoch went.</summary>
/// <param name="Epoch">Number of the epoch, from 0.</param>
/// <param name="Steps">Steps done since the start of the run.</param>
/// <param name="Loss">Mean loss of the epoch's steps.</param>
/// <param name="TeacherEntropy">Mean teacher entropy of the epoch's steps.</param>
/// <param name="Seconds">Wall time of the epoch.</param>
/// <param name="ImagesPerSecond">Source images a second over the epoch.</param>
/// <param name="KnnTop1">k-NN accuracy (20 neighbours) in percent; null when it was not measured.</param>
public readonly record struct EpochReport(
    int Epoch, long Steps, double Loss, double TeacherEntropy, double Seconds, double ImagesPerSecond, double? KnnTop1 = null);
