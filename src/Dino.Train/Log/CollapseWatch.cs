using System.Globalization;
using Dino.Train.Methods.Dino;

namespace Dino.Train.Log;

/// <summary>The two ways in which a teacher without labels stops saying anything (paper section 5.3).</summary>
public enum CollapseKind
{
    /// <summary>Every picture gets the uniform distribution: entropy and loss are ln K.</summary>
    Uniform,

    /// <summary>Every picture gets the same prototype: entropy and KL are 0.</summary>
    OneDimensional,
}

/// <summary>
/// Names collapse once it has lasted: KL(teacher‖student) near 0 while the teacher's entropy is near ln K or near 0 (paper section 5.3).
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
    private bool named;

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

    /// <summary>Takes in a step's numbers, in order.</summary>
    /// <returns>What to tell the user, once for each collapse; else null.</returns>
    public string? Observe(in StepRow row)
    {
        var (loss, entropy, lnK) = (row[DinoMeasures.Loss], row[DinoMeasures.TeacherEntropy], row[DinoMeasures.LogPrototypes]);
        var kind = Look(loss, entropy, lnK);
        if (kind is null || kind != suspected)
        {
            (suspected, lasted, named) = (kind, 0, false);
            if (kind is null)
                return null;
        }
        lasted++;
        if (lasted < Patience || named)
            return null;
        named = true;
        return Describe(kind.Value, row, loss, entropy, lnK);
    }

    private static CollapseKind? Look(double loss, double entropy, double lnK)
    {
        double uniform = UniformShare * lnK, single = OneDimensionalShare * lnK;
        if (Math.Abs(lnK - entropy) <= uniform && Math.Abs(lnK - loss) <= uniform)
            return CollapseKind.Uniform;
        return entropy <= single && loss <= single ? CollapseKind.OneDimensional : null;
    }

    private string Describe(CollapseKind kind, in StepRow row, double loss, double entropy, double lnK)
    {
        string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
        double temperature = row[DinoMeasures.TeacherTemperature], momentum = row[DinoMeasures.Momentum];
        return kind == CollapseKind.Uniform
            ? Format($"Collapse (uniform) since step {row.Step - Patience + 1}: teacher entropy {entropy:F3} and loss ")
                + Format($"{loss:F3} stay at ln K = {lnK:F3}: every picture gets the same uniform answer. ")
                + Format($"Usual causes: --teacher-temp too high (now {temperature:G3}; try {temperature / 2:G2}), a small network without ")
                + Format($"--use-bn-in-head true, --lr too high (now {row[DinoMeasures.LearningRate]:G2}), ")
                + Format($"--momentum-teacher too low for the batch (now {momentum:G5}), --center-momentum too close to 1.")
            : Format($"Collapse (one prototype) since step {row.Step - Patience + 1}: teacher entropy {entropy:F4} and loss ")
                + Format($"{loss:F4} stay near 0: every picture gets the same prototype. ")
                + Format($"Usual causes: the centre does not keep up (--center-momentum near 1), --teacher-temp too low (now {temperature:G3}; ")
                + Format($"try {temperature * 2:G2}), --momentum-teacher too low (now {momentum:G5}; try 0.996).");
    }
}
