using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Train.Options;

namespace Dino.Train.Runs;

/// <summary>
/// Refuses to go on with a run under other circumstances: it would be a different run, and not the one that was asked for.
/// </summary>
internal sealed class ResumeCheck(string path, CheckpointInfo info)
{
    // It changes neither values nor gradients.
    private const string HowNotWhat = nameof(TrainOptions.Recompute);

    private const string SizeOfGrid = "Backbone.ImageSize";

    private readonly List<string> differences = [];
    private readonly List<string> details = [];
    private readonly List<string> notes = [];

    /// <summary>What may differ, and did, in sentences.</summary>
    public IReadOnlyList<string> Notes => notes;

    /// <summary>The epochs of the run before, if it is to become longer.</summary>
    public int? GrownFrom { get; private set; }

    public void Options(TrainOptions options)
    {
        if (!info.IsOf(options))
        {
            differences.Add($"method ({info.Method ?? "not named"} then, {options.Method} now)");
            return;
        }
        var then = info.OptionsLike(options);
        if (options.Epochs > then.Epochs)
        {
            GrownFrom = then.Epochs;
            then = then with { Epochs = options.Epochs };
        }
        Compare("", Stated(then), Stated(options), (then, options));
    }

    /// <summary>Compares the pictures that are held out with those that the run's folder names.</summary>
    public void HeldOut(string file, IReadOnlyList<string>? now)
    {
        if (HeldOutPictures.Difference(file, now) is { } difference)
            differences.Add(difference);
    }

    public void Pictures(DataIdentity now, PictureListing listing, int stepsPerEpoch, int masksLeftOut = 0)
    {
        if (info.Pictures != now.Pictures)
        {
            differences.Add($"pictures ({info.Pictures} then, {now.Pictures} now)");
            Name(listing);
            if (masksLeftOut > 0 && info.Pictures == now.Pictures + masksLeftOut)
                details.Add($"{masksLeftOut} files that look like masks are left out now; `KeepMasks` takes them, as before");
            return;
        }
        if (info.StepsPerEpoch != stepsPerEpoch && differences.Count == 0)
            differences.Add($"steps an epoch ({info.StepsPerEpoch} then, {stepsPerEpoch} now)");
        if (info.Data is not { } then)
        {
            notes.Add($"{path} is of an older version, which noted no more of the pictures than their number ({info.Pictures}): whether "
                + $"they are the same ones is not known");
            return;
        }
        switch (now.Since(then))
        {
            case DataChange.None:
                break;
            case DataChange.TimesAlone:
                notes.Add("the pictures have other times than when the run began, and the same contents");
                break;
            case DataChange.Times:
                differences.Add("times of its pictures (names and sizes are the same)");
                Name(listing);
                details.Add(then.Contents is null
                    ? "Contents were not noted when the run began, and cannot be compared"
                    : "If the pictures are a copy, `Verify` compares the contents");
                break;
            case DataChange.NamesOrSizes:
                differences.Add($"pictures ({now.Pictures} as before, with other names or sizes)");
                Name(listing);
                break;
            default:
                differences.Add($"pictures ({now.Pictures} of the same names and sizes, with other contents)");
                Name(listing);
                break;
        }
    }

    /// <summary>Compares who shares each step: rates and epochs go by the pictures of all.</summary>
    public void Ranks(int now)
    {
        if ((info.Ranks ?? 1) != now)
            differences.Add($"ranks ({info.Ranks ?? 1} then, {now} now)");
    }

    /// <summary>Compares the limit above which pictures are left out: with another, the same folder is another data set.</summary>
    /// <param name="now">In pixels; null for the usual one.</param>
    public void LargestPicture(int? now)
    {
        if (info.MaxPixels != now)
            differences.Add($"`MaxMegapixels` ({Megapixels(info.MaxPixels)} then, {Megapixels(now)} now)");
    }

    /// <summary>A limit of pixels in millions; null for the usual one.</summary>
    internal static string Megapixels(int? pixels) =>
        (pixels is { } limit ? limit / 1e6 : Math.Round(ImageDecoder.DefaultMaxPixels / 1e6, 1)).ToString(CultureInfo.InvariantCulture);

    /// <summary>Compares the weights that the run began with.</summary>
    public void Origin(InitialWeights? now)
    {
        if (info.Format < CheckpointInfo.FirstWithOrigin)
        {
            if (now is not null)
                notes.Add($"{path} is of an older version, which did not note what it began with: whether that was {now.File} is not "
                    + $"known");
            return;
        }
        if (now?.Sha256 != info.Init?.Sha256)
            differences.Add($"first weights ({Describe(info.Init)} then, {Describe(now)} now)");
        else if (now?.AllowPartial != info.Init?.AllowPartial)
            differences.Add($"`AllowPartial` ({info.Init?.AllowPartial} then, {now?.AllowPartial} now)");
    }

    public void Arithmetic(string now)
    {
        if (info.Arithmetic is { } then && then != now)
            notes.Add($"the run was computed by {then} and goes on by {now}: sums are rounded differently, so its numbers will not be "
                + $"those that it would have had");
    }

    /// <exception cref="RunException">Something that decides on the result is not as it was.</exception>
    public void ThrowIfOther()
    {
        if (differences.Count == 0)
            return;
        throw new RunException(
            $"{path} is from a run with other {string.Join(", ", differences)}. {string.Concat(
                details.Select(detail => detail + ". "))}Give the same options and pictures to go on with it; "
            + $"to train anew, `Restart` or another `OutputDir`; to begin with its weights, another `OutputDir` with `Initialization` "
            + $"{path}.");
    }

    private void Name(PictureListing listing)
    {
        if (listing.Differences(Path.GetDirectoryName(Path.GetFullPath(path))!) is { Length: > 0 } names)
            details.Add($"Pictures: {names}");
    }

    private static string Describe(InitialWeights? weights) =>
        weights is null ? "those of the seed" : $"{weights.File}, SHA-256 {weights.Sha256[..12]}…";

    /// <summary>Compares what a checkpoint keeps of two records: every property that can be set, of the records in them too.</summary>
    private void Compare(string prefix, object then, object now, (TrainOptions Then, TrainOptions Now) whole)
    {
        foreach (var property in CheckpointInfo.Json.GetTypeInfo(now.GetType())
            .Properties.Where(property => property is { Get: not null, Set: not null }))
        {
            string name = prefix + char.ToUpperInvariant(property.Name[0]) + property.Name[1..];
            if (name == HowNotWhat)
                continue;
            object? a = property.Get!(then), b = property.Get(now);
            if (a is not null && b is not null && a.GetType() == b.GetType() && IsRecord(a.GetType()))
                Compare(name + ".", a, b, whole);
            else if (Written(a) == Written(b))
                continue;
            else if (whole.Now.Hyperparameters.FirstOrDefault(one => one.Parts.Contains(name)) is { } one)
                Add(one.Property, one.Text(whole.Then), one.Text(whole.Now));
            else
                Add(name, a, b);
        }
    }

    // What is not said is the usual, and compared as such.
    private static TrainOptions Stated(TrainOptions options) => options with { Preprocessing = options.Preprocessing ?? new() };

    private static bool IsRecord(Type type) => !type.IsValueType && CheckpointInfo.Json.GetTypeInfo(type).Kind == JsonTypeInfoKind.Object;

    private void Add(string property, object? then, object? now)
    {
        string values = string.Create(CultureInfo.InvariantCulture, $" ({Shown(then)} then, {Shown(now)} now)");
        // The grid of positions is that of the views: another size of them is said once.
        differences.Remove($"`{SizeOfGrid}`{values}");
        // The parts of one hyperparameter differ as one.
        if (!differences.Contains($"`{property}`{values}"))
            differences.Add($"`{property}`{values}");
    }

    // A list would show its type.
    private static object? Shown(object? value) => value switch
    {
        null => "none",
        ValueRange range => FormattableString.Invariant($"{range.Low},{range.High}"),
        DecodeMode mode => mode.ToString().ToLowerInvariant(),
        IEnumerable<double> numbers => string.Join(' ', numbers.Select(number => number.ToString(CultureInfo.InvariantCulture))),
        System.Collections.IEnumerable and not string => Written(value),
        _ => value,
    };

    private static string Written(object? value) =>
        JsonSerializer.Serialize(value, value?.GetType() ?? typeof(object), CheckpointInfo.Json);
}
