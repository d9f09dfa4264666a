namespace Dino.Train.Log;

/// <summary>
/// One number that is measured at each step: its name, where it comes from, and how a person sees it. A method declares its measures once;
/// the log, its reader, the console and the curves work from that.
/// </summary>
/// <example>
/// <c>Measure.OnDevice("loss") with { Label = "loss", Format = "F3", Importance = 90, IsEpochMean = true, IsVital = true }</c>
/// </example>
public sealed record Measure
{
    /// <summary>
    /// The importance of images a second, which every run shows: a measure above it has room on a narrower line.
    /// </summary>
    public const int SpeedImportance = 80;

    private Measure(string name, MeasureSource source) => (Name, Source) = (name, source);

    /// <summary>The name in <c>log.jsonl</c> and in a <see cref="StepRow"/>.</summary>
    public string Name { get; }

    /// <summary>Where the number comes from.</summary>
    public MeasureSource Source { get; }

    /// <summary>What stands before the number on the line for a person; null leaves it out there.</summary>
    public string? Label { get; init; }

    /// <summary>The format of the number on that line (.NET's).</summary>
    public string Format { get; init; } = "G4";

    /// <summary>Where a line has no room for all, the most important come first. See <see cref="SpeedImportance"/>.</summary>
    public int Importance { get; init; }

    /// <summary>Whether the line of an epoch has the mean over its steps.</summary>
    public bool IsEpochMean { get; init; }

    /// <summary>Whether the run ends when the number is not finite.</summary>
    public bool IsVital { get; init; }

    /// <summary>Whether the line of a step in <c>log.jsonl</c> has it; otherwise only the display sees it.</summary>
    public bool IsLogged { get; init; } = true;

    /// <summary>How it is drawn over the steps; null when it is not.</summary>
    public MeasureCurve? Curve { get; init; }

    internal Func<long, double>? AtStep { get; private init; }

    internal Func<StepRow, double>? FromOthers { get; private init; }

    /// <summary>
    /// A scalar on the device: <see cref="Measurements.Count"/> takes it in, once a step or once for each of its batches. The number is the
    /// mean of what was counted, over all ranks; NaN in a step that counted none.
    /// </summary>
    public static Measure OnDevice(string name) => new(name, MeasureSource.Device);

    /// <summary>The L2 norm of the whole gradient before clipping, of the norms given to <see cref="Measurements.EndStep"/>.</summary>
    public static Measure GradientNorm(string name) => new(name, MeasureSource.GradientNorm);

    /// <summary>A number that the host knows of each step (from 0) by itself: a rate, a constant.</summary>
    public static Measure OfStep(string name, Func<long, double> value) => new(name, MeasureSource.Step) { AtStep = value };

    /// <summary>A number that follows from those declared before it.</summary>
    public static Measure Derived(string name, Func<StepRow, double> value) => new(name, MeasureSource.Derived) { FromOthers = value };

    /// <summary>A number of which only the name is known, as in a log of another method.</summary>
    public static Measure Named(string name) => new(name, MeasureSource.Unknown);
}

/// <summary>Where a measured number comes from.</summary>
public enum MeasureSource
{
    /// <summary>Known by name alone.</summary>
    Unknown,

    /// <summary>A scalar on the device.</summary>
    Device,

    /// <summary>The norms of the parameters' gradients.</summary>
    GradientNorm,

    /// <summary>The number of the step.</summary>
    Step,

    /// <summary>Other measures of the same step.</summary>
    Derived,
}

/// <summary>How a measure is drawn. Those of one unit share a picture, in the order of their declaration.</summary>
/// <param name="Unit">What stands at the axis, for instance "nats".</param>
/// <param name="Label">What stands in the key.</param>
public sealed record MeasureCurve(string Unit, string Label)
{
    /// <summary>Whether others are compared with it: a dashed line through its last value, with the number in the key.</summary>
    public bool IsReference { get; init; }
}
