using Dino.Train.Log;

namespace Dino.Train.Methods.Dino;

/// <summary>
/// Finds collapse once it has lasted: KL(teacher‖student) near 0 while the teacher's entropy is near ln K or near 0 (paper section 5.3).
/// </summary>
/// <remarks>
/// A healthy run looks uniform for a while at its start: the backbone says nearly the same of every picture, and the centre takes just that
/// away. So the watch waits <see cref="Patience"/> steps, and starts over with every step that is better.
/// </remarks>
public sealed class CollapseWatch
{
    /// <summary>Largest distance of entropy and loss from ln K in uniform collapse, as a share of ln K.</summary>
    public const double UniformShare = 0.001;

    /// <summary>Largest entropy and loss in one-dimensional collapse, as a share of ln K.</summary>
    public const double OneDimensionalShare = 0.005;

    private CollapseKind? suspected;
    private int lasted;
    private bool told;

    /// <summary>A watch that speaks after <paramref name="patience"/> collapsed steps in a row.</summary>
    public CollapseWatch(int patience = 300)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(patience);
        Patience = patience;
    }

    /// <summary>The number of steps in a row that must look collapsed.</summary>
    public int Patience { get; }

    /// <summary>The collapse that has lasted for <see cref="Patience"/> steps, or null.</summary>
    public CollapseKind? Current => lasted >= Patience ? suspected : null;

    /// <summary>Takes in a step's numbers (<see cref="DinoMeasures"/>), in order.</summary>
    /// <returns>A finding, once for each collapse; else null.</returns>
    public CollapseFinding? Observe(in StepRow row)
    {
        var (loss, entropy, lnK) = (row[DinoMeasures.Loss], row[DinoMeasures.TeacherEntropy], row[DinoMeasures.LogPrototypes]);
        var kind = Look(loss, entropy, lnK);
        if (kind is null || kind != suspected)
        {
            (suspected, lasted, told) = (kind, 0, false);
            if (kind is null)
                return null;
        }
        lasted++;
        if (lasted < Patience || told)
            return null;
        told = true;
        return new(kind.Value, row.Step - Patience + 1, entropy, loss, lnK,
            kind == CollapseKind.Uniform ? Uniform(row) : OneDimensional(row));
    }

    private static CollapseKind? Look(double loss, double entropy, double lnK)
    {
        double uniform = UniformShare * lnK, single = OneDimensionalShare * lnK;
        if (Math.Abs(lnK - entropy) <= uniform && Math.Abs(lnK - loss) <= uniform)
            return CollapseKind.Uniform;
        return entropy <= single && loss <= single ? CollapseKind.OneDimensional : null;
    }

    private static Suspect[] Uniform(in StepRow row)
    {
        double temperature = row[DinoMeasures.TeacherTemperature];
        return
        [
            new(nameof(DinoOptions.TeacherTemp), "{0} too high") { Now = temperature, Try = temperature / 2 },
            new("Head.UseBatchNorm", "a small network without {0} true"),
            new(nameof(DinoOptions.Lr), "{0} too high") { Now = row[DinoMeasures.LearningRate], Formats = ("G2", "G2") },
            new(nameof(DinoOptions.MomentumTeacher), "{0} too low for the batch") { Now = row[DinoMeasures.Momentum],
                Formats = ("G5", "G5") },
            new(nameof(DinoOptions.CenterMomentum), "{0} too close to 1"),
        ];
    }

    private static Suspect[] OneDimensional(in StepRow row)
    {
        double temperature = row[DinoMeasures.TeacherTemperature];
        return
        [
            new(nameof(DinoOptions.CenterMomentum), "the centre does not keep up ({0} near 1)"),
            new(nameof(DinoOptions.TeacherTemp), "{0} too low") { Now = temperature, Try = temperature * 2 },
            new(nameof(DinoOptions.MomentumTeacher), "{0} too low") { Now = row[DinoMeasures.Momentum], Try = 0.996,
                Formats = ("G5", "G5") },
        ];
    }
}
