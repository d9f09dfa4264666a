using Dino.Train.Log;

namespace Dino.Train.Methods.Dino;

/// <summary>What DINO measures at each step.</summary>
public static class DinoMeasures
{
    /// <summary>Mean cross-entropy H(teacher, student) over the pairs of crops, nats.</summary>
    public const string Loss = "loss";

    /// <summary>Mean entropy of the teacher's distributions, nats (paper section 5.3).</summary>
    public const string TeacherEntropy = "teacherEntropy";

    /// <summary>Mean KL(teacher‖student), nats (paper section 5.3).</summary>
    public const string KlDivergence = "kl";

    /// <summary>ln K: the entropy of the uniform distribution, nats.</summary>
    public const string LogPrototypes = "lnK";

    /// <summary>ln K − loss: near 0 when student and teacher are both uniform. Shown, not logged.</summary>
    public const string DistanceToUniform = "lnK-loss";

    /// <summary>L2 norm of the centre.</summary>
    public const string CentreNorm = "centreNorm";

    /// <summary>L2 norm of the whole gradient before clipping.</summary>
    public const string GradientNorm = "gradientNorm";

    /// <summary>Learning rate of the step.</summary>
    public const string LearningRate = "learningRate";

    /// <summary>Weight decay of the step.</summary>
    public const string WeightDecay = "weightDecay";

    /// <summary>Momentum of the teacher's average.</summary>
    public const string Momentum = "momentumTeacher";

    /// <summary>Temperature of the teacher's softmax.</summary>
    public const string TeacherTemperature = "teacherTemp";

    /// <summary>The measures of a run, in the order of its log.</summary>
    /// <param name="options">The hyperparameters.</param>
    /// <param name="rates">The numbers of a step.</param>
    public static IReadOnlyList<Measure> Of(
        DinoOptions options, Func<long, DinoRates> rates)
    {
        double lnK = Math.Log(options.Head.OutDim);
        return
        [
            Measure.OnDevice(Loss) with
            {
                Label = "loss", Format = "F3", Importance = 90, IsEpochMean = true, IsVital = true, Curve = new("nats", "loss"),
            },
            Measure.OnDevice(TeacherEntropy) with
            {
                Label = "entropy", Format = "F3", Importance = 50, IsEpochMean = true, Curve = new("nats", "teacher entropy"),
            },
            // In single precision, as both are measured.
            Measure.Derived(KlDivergence, row => (float)row[Loss] - (float)row[TeacherEntropy]) with
            {
                Label = "KL", Format = "F3", Importance = 60,
            },
            Measure.OfStep(LogPrototypes, _ => lnK) with { Curve = new("nats", "ln K") { IsReference = true } },
            Measure.Derived(DistanceToUniform, row => lnK - row[Loss]) with
            {
                Label = "ln K − loss", Format = "F3", Importance = 30, IsLogged = false,
            },
            Measure.OnDevice(CentreNorm) with { Label = "|centre|", Format = "G3", Importance = 20 },
            Measure.GradientNorm(GradientNorm) with { Label = "|g|", Format = "G3", Importance = 40, IsVital = true },
            Measure.OfStep(LearningRate, step => rates(step).LearningRate) with { Label = "lr", Format = "0.0e-00", Importance = 70 },
            Measure.OfStep(WeightDecay, step => rates(step).WeightDecay),
            Measure.OfStep(Momentum, step => rates(step).Momentum),
            Measure.OfStep(TeacherTemperature, step => rates(step).TeacherTemperature),
        ];
    }
}
