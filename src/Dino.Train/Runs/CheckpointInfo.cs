using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Dino.Model.Weights;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;
using Dino.Train.Options;

namespace Dino.Train.Runs;

/// <summary>What a checkpoint says of its run, beside the tensors.</summary>
public sealed record CheckpointInfo
{
    /// <summary>
    /// The newest version of the layout: 2 notes the data set and the first weights, 3 how stored values become crops. What older programs
    /// can read is written as they wrote it.
    /// </summary>
    public const int CurrentFormat = StoredNetwork.NewestLayout;

    internal const int FirstWithOrigin = 2;

    /// <summary>How it is written as JSON.</summary>
    internal static JsonSerializerOptions Json { get; } = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter() },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { LeaveOutUsualViews } },
    };

    /// <summary>The layout of this file.</summary>
    public int Format { get; init; } = CurrentFormat;

    /// <summary>The program's version.</summary>
    public string Version { get; init; } = "";

    /// <summary>Optimizer steps done.</summary>
    public required long Step { get; init; }

    /// <summary>Optimizer steps of an epoch.</summary>
    public required int StepsPerEpoch { get; init; }

    /// <summary>Epochs begun, counted in whole ones.</summary>
    public required double Epoch { get; init; }

    /// <summary>Pictures of the training folder; a resumed run must see as many.</summary>
    public required int Pictures { get; init; }

    /// <summary>
    /// Every hyperparameter: the <see cref="TrainOptions"/> of a method, whichever it is. See <see cref="OptionsAs{TOptions}"/>.
    /// </summary>
    public required JsonObject Options { get; init; }

    /// <summary>What the pictures are compared by; null in files of older versions.</summary>
    public DataIdentity? Data { get; init; }

    /// <summary>The most pixels of a picture, larger ones being left out; null for <see cref="ImageDecoder.DefaultMaxPixels"/>.</summary>
    public int? MaxPixels { get; init; }

    /// <summary>The file that the run began with; null for the seed's weights.</summary>
    public InitialWeights? Init { get; init; }

    /// <summary>Device and precision, which decide on the rounding of sums.</summary>
    public string? Arithmetic { get; init; }

    /// <summary>How often the run was made longer, and where; null for never.</summary>
    public IReadOnlyList<GrownRun>? Grown { get; init; }

    /// <summary>How many ranks shared each step; null for one.</summary>
    public int? Ranks { get; init; }

    /// <summary>The file that says it; empty where there is none.</summary>
    [JsonIgnore]
    public string Path { get; init; } = "";

    /// <summary>The name of the method; null where the file has none, as those of DINO.</summary>
    [JsonIgnore]
    internal string? Method => Options["method"] is JsonValue value && value.TryGetValue(out string? name) ? name : null;

    /// <summary>The epochs of the run.</summary>
    /// <exception cref="JsonException">It does not say them.</exception>
    [JsonIgnore]
    internal int Epochs => Options["epochs"] is JsonValue value && value.TryGetValue(out int epochs)
        ? epochs
        : throw new JsonException("its hyperparameters are missing.");

    /// <summary>Hyperparameters as a checkpoint keeps them.</summary>
    public static JsonObject Write(TrainOptions options) => JsonSerializer.SerializeToNode(options, options.GetType(), Json)!.AsObject();

    /// <summary>The hyperparameters of a run of a method.</summary>
    /// <typeparam name="TOptions">The record of the method's options.</typeparam>
    /// <exception cref="RunException">They are of another method, or cannot be read.</exception>
    public TOptions OptionsAs<TOptions>() where TOptions : TrainOptions, new() => (TOptions)OptionsLike(new TOptions());

    /// <summary>The hyperparameters, of the type of others.</summary>
    /// <exception cref="RunException">They are of another method, or cannot be read.</exception>
    internal TrainOptions OptionsLike(TrainOptions others)
    {
        if (!IsOf(others))
            throw new RunException($"{Path} is of a run of another method, {Method ?? "which it does not name"}, and not of "
                + $"{others.Method}.");
        try
        {
            return (TrainOptions)Options.Deserialize(others.GetType(), Json)!;
        }
        catch (JsonException e)
        {
            throw new RunException($"{Path} says something unreadable of its run: {e.Message}");
        }
    }

    // Programs that knew one recipe alone refuse what they do not know: a run that has that recipe is theirs, too.
    private static void LeaveOutUsualViews(JsonTypeInfo type)
    {
        if (type.Type != typeof(MultiCropOptions))
            return;
        var usual = new MultiCropOptions();
        foreach (var property in type.Properties)
        {
            if (property.PropertyType != typeof(Recipe) && property.PropertyType != typeof(CropRatio))
                continue;
            object value = property.Get!(usual)!;
            property.ShouldSerialize = (_, now) => !value.Equals(now);
        }
    }

    /// <summary>Whether the run is of the method that some hyperparameters are for.</summary>
    internal bool IsOf(TrainOptions options) => Method == (string?)Write(options)["method"];
}

/// <summary>A run that was made longer: its schedules, which are functions of the whole, were stretched from a step on.</summary>
/// <param name="Step">The steps done by then.</param>
/// <param name="FromEpochs">Its length before.</param>
/// <param name="ToEpochs">Its length afterwards.</param>
public sealed record GrownRun(long Step, int FromEpochs, int ToEpochs);
