using System.Text.Json;

namespace Dino.Train.Log;

/// <summary>Reads <c>log.jsonl</c> back.</summary>
public static class RunLogReader
{
    /// <summary>
    /// Every step and epoch of a log, in order, whatever its method measures. A last line that was cut off in the middle is left out.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="known">Measures to know by their names; others are <see cref="Measure.Named"/>.</param>
    /// <exception cref="InvalidDataException">A line is no JSON object; the message names the file and the line.</exception>
    public static (IReadOnlyList<StepRow> Steps, IReadOnlyList<EpochRow> Epochs) Read(string path, IReadOnlyList<Measure>? known = null)
    {
        var steps = new List<StepRow>();
        var epochs = new List<EpochRow>();
        var measures = new NamedMeasures(known ?? []);
        byte[] bytes = File.ReadAllBytes(path);
        int number = 0;
        for (int start = 0; start < bytes.Length;)
        {
            number++;
            int length = bytes.AsSpan(start).IndexOf((byte)'\n');
            if (length < 0)
                break;
            if (Parse(bytes.AsMemory(start, length)) is not { } document)
                throw new InvalidDataException($"{path}: line {number} is no JSON object. Remove it, or the lines from there on.");
            using (document)
            {
                var line = document.RootElement;
                if (line.TryGetProperty("epochEnd", out _))
                    epochs.Add(Epoch(line, measures));
                else
                    steps.Add(Step(line, measures));
            }
            start += length + 1;
        }
        return (steps, epochs);
    }

    /// <summary>The number of leading bytes that hold whole lines of steps before <paramref name="firstStep"/>.</summary>
    internal static long LengthBefore(Stream log, long firstStep)
    {
        if (firstStep == 0)
            return 0;
        byte[] bytes = new byte[log.Length];
        log.Seek(0, SeekOrigin.Begin);
        log.ReadExactly(bytes);
        int start = 0;
        while (start < bytes.Length)
        {
            int length = bytes.AsSpan(start).IndexOf((byte)'\n');
            if (length < 0 || Parse(bytes.AsMemory(start, length)) is not { } document)
                break;
            using (document)
            {
                var line = document.RootElement;
                bool earlier = line.TryGetProperty("steps", out var steps) ? steps.GetInt64() <= firstStep
                    : line.TryGetProperty("step", out var step) && step.GetInt64() < firstStep;
                if (!earlier)
                    break;
            }
            start += length + 1;
        }
        return start;
    }

    private static JsonDocument? Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            var document = JsonDocument.Parse(line);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return document;
            document.Dispose();
            return null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static StepRow Step(JsonElement line, NamedMeasures named)
    {
        var (measures, values) = named.Of(line, "step", "epoch", "imagesPerSecond");
        return new((long)Number(line, "step"), (int)Number(line, "epoch"), measures, values)
        {
            ImagesPerSecond = Number(line, "imagesPerSecond"),
        };
    }

    private static EpochRow Epoch(JsonElement line, NamedMeasures named)
    {
        var (measures, values) = named.Of(line, "epochEnd", "steps", "seconds", "imagesPerSecond", "knnTop1");
        return new(
            (int)Number(line, "epochEnd"), (long)Number(line, "steps"), [.. measures.Zip(values)], Number(line, "seconds"),
            Number(line, "imagesPerSecond"), Number(line, "knnTop1") is var top1 && double.IsNaN(top1) ? null : top1);
    }

    private static double Number(JsonElement line, string name) =>
        line.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : double.NaN;

    /// <summary>The measures that lines name. Lines with the same names share one list.</summary>
    private sealed class NamedMeasures(IReadOnlyList<Measure> known)
    {
        private IReadOnlyList<Measure> last = [];

        /// <summary>The numbers of a line but for some, in its order; null counts as one that is not finite.</summary>
        public (IReadOnlyList<Measure> Measures, double[] Values) Of(JsonElement line, params string[] others)
        {
            JsonProperty[] numbers = [.. line.EnumerateObject().Where(property =>
                property.Value.ValueKind is JsonValueKind.Number or JsonValueKind.Null && !others.Contains(property.Name))];
            if (!numbers.Select(property => property.Name).SequenceEqual(last.Select(measure => measure.Name)))
                last = [.. numbers.Select(property => Find(property.Name))];
            return (last, [.. numbers.Select(property => Number(line, property.Name))]);
        }

        private Measure Find(string name) => known.FirstOrDefault(measure => measure.Name == name) ?? Measure.Named(name);
    }
}
