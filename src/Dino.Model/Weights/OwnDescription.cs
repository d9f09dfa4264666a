using System.Text.Json;
using System.Text.Json.Serialization;
using Dino.Pictures.Loading;
using Dino.Tensors.Io;

namespace Dino.Model.Weights;

/// <summary>
/// What a checkpoint of a training run says of its network, in the JSON of its metadata: the options of the backbone and the head, and the
/// size of the
/// largest crops and how pictures became its inputs. All else that it says is of the run, and passed over here.
/// </summary>
/// <param name="Backbone">The backbone's sizes.</param>
/// <param name="Head">The head's, of a run of DINO; null for other methods.</param>
/// <param name="PictureSize">The side of the largest crops, in pixels; null where it does not say it.</param>
/// <param name="Preprocessing">How the stored values of pictures became its inputs; null for 8 bits and ImageNet's numbers.</param>
internal sealed record OwnDescription(BackboneConfig Backbone, DinoHeadConfig? Head, int? PictureSize, Preprocessing? Preprocessing)
{
    private const string MetadataKey = "dino";

    private static readonly JsonSerializerOptions json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>What a file says; null if it is no checkpoint of a training run.</summary>
    /// <exception cref="WeightsException">It is of a newer version, or says something unreadable.</exception>
    public static OwnDescription? Of(WeightsFile file)
    {
        if (file is not SafetensorsFile || !file.Metadata.TryGetValue(MetadataKey, out string? text))
            return null;
        try
        {
            bool isDino;
            // First the layout: a newer one may hold what this version cannot place.
            using (var document = JsonDocument.Parse(text))
            {
                if (Member(document.RootElement, "format") is { } layout && layout.TryGetInt32(out int number)
                    && number > StoredNetwork.NewestLayout)
                {
                    throw new WeightsException(
                        WeightsFault.Unreadable,
                        $"{file.Path} was written by a newer version of the program: its layout is {number}, this one reads up to "
                            + $"{StoredNetwork.NewestLayout}.");
                }
                // The first checkpoints did not name their method, which was DINO.
                isDino = Member(document.RootElement, "options") is not { } options || Member(options, "method") is null;
            }
            var said = isDino ? JsonSerializer.Deserialize<Whole<OfDino>>(text, json)?.Options
                : JsonSerializer.Deserialize<Whole<OfMethod>>(text, json)?.Options;
            if (said?.Backbone is null || said is OfDino and not { Head: not null, Crops: not null })
                throw new JsonException("its hyperparameters are missing.");
            return new OwnDescription(said.Backbone, (said as OfDino)?.Head, said.Crops?.GlobalCropsSize, said.Preprocessing);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new WeightsException(WeightsFault.Contradiction, $"{file.Path} says something unreadable of its run: {e.Message}", e);
        }
    }

    private static JsonElement? Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member) ? member : null;

    [JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
    private sealed record Whole<T>
    {
        public T? Options { get; init; }
    }

    [JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
    private record OfMethod
    {
        public BackboneConfig? Backbone { get; init; }

        public CropSizes? Crops { get; init; }

        public Preprocessing? Preprocessing { get; init; }
    }

    [JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
    private sealed record OfDino : OfMethod
    {
        public DinoHeadConfig? Head { get; init; }
    }

    [JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
    private sealed record CropSizes
    {
        public int? GlobalCropsSize { get; init; }
    }
}
