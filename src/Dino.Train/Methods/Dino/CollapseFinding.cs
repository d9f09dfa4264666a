using System.Globalization;

namespace Dino.Train.Methods.Dino;

/// <summary>The two ways in which a teacher without labels stops saying anything (paper section 5.3).</summary>
public enum CollapseKind
{
    /// <summary>Every picture gets the uniform distribution: entropy and loss are ln K.</summary>
    Uniform,

    /// <summary>Every picture gets the same prototype: entropy and KL are 0.</summary>
    OneDimensional,
}

/// <summary>A collapse that has lasted, with the numbers of its latest step.</summary>
/// <param name="Kind">Which of the two.</param>
/// <param name="Since">The first step of those that look collapsed, from 0.</param>
/// <param name="TeacherEntropy">Mean entropy of the teacher's distributions, nats.</param>
/// <param name="Loss">Mean cross-entropy of teacher and student, nats.</param>
/// <param name="LogPrototypes">ln K, nats.</param>
/// <param name="Suspects">What usually causes it, the likeliest first.</param>
public sealed record CollapseFinding(
    CollapseKind Kind, long Since, double TeacherEntropy, double Loss, double LogPrototypes, IReadOnlyList<Suspect> Suspects)
{
    /// <summary>What is seen, and the properties that usually cause it, in backticks.</summary>
    public override string ToString()
    {
        string seen = Kind == CollapseKind.Uniform
            ? string.Create(CultureInfo.InvariantCulture, $"Collapse (uniform) since step {Since}: teacher entropy {TeacherEntropy:F3} ")
                + string.Create(CultureInfo.InvariantCulture, $"and loss {Loss:F3} stay at ln K = {LogPrototypes:F3}: ")
                + "every picture gets the same uniform answer."
            : string.Create(CultureInfo.InvariantCulture,
                $"Collapse (one prototype) since step {Since}: teacher entropy {TeacherEntropy:F4} ")
                + string.Create(CultureInfo.InvariantCulture, $"and loss {Loss:F4} stay near 0: every picture gets the same prototype.");
        return $"{seen} Usual causes: {string.Join(", ", Suspects)}.";
    }
}

/// <summary>A hyperparameter that may be the cause of something.</summary>
/// <param name="Property">Its path from the run's options on, as in <c>Head.UseBatchNorm</c>.</param>
/// <param name="Cause">In words, with {0} where the property stands.</param>
public sealed record Suspect(string Property, string Cause)
{
    /// <summary>Its value in the step; null where that says nothing.</summary>
    public double? Now { get; init; }

    /// <summary>A better value; null where none is known.</summary>
    public double? Try { get; init; }

    /// <summary>The formats of both values (.NET's).</summary>
    public (string Now, string Try) Formats { get; init; } = ("G3", "G2");

    /// <summary>The cause with the property in backticks, its value, and a better one.</summary>
    public override string ToString()
    {
        string cause = Cause.Replace("{0}", $"`{Property}`", StringComparison.Ordinal);
        if (Now is not { } now)
            return cause;
        string better = Try is { } value ? $"; try {value.ToString(Formats.Try, CultureInfo.InvariantCulture)}" : "";
        return $"{cause} (now {now.ToString(Formats.Now, CultureInfo.InvariantCulture)}{better})";
    }
}
