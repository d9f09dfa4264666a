using System.Text.Json;

namespace Dino.Train.Log;

/// <summary>Reads <c>log.jsonl</c> back.</summary>
public static class RunLogReader
{
    /// <summary>Every step and epoch of a log, in order. A last line that was cut off in the middle is left out.</summary>
    /// <exception cref="InvalidDataException">A line is no JSON object; the message names the file and the line.</exception>
    public static (IReadOnlyList<StepReport> Steps, IReadOnlyList<EpochReport> Epochs) Read(string path)
    {
        var steps = new List<StepReport>();
        var epochs = new List<EpochReport>();
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
                    epochs.Add(Epoch(line));
                else
                    steps.Add(Step(line));
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

    private static StepReport Step(JsonElement line) => new(
        (long)Number(line, "step"), (int)Number(line, "epoch"), Number(line, "loss"), Number(line, "teacherEntropy"), Number(line, "kl"),
        Number(line, "lnK"), Number(line, "centreNorm"), Number(line, "gradientNorm"), Number(line, "learningRate"),
        Number(line, "weightDecay"), Number(line, "momentumTeacher"), Number(line, "teacherTemp"), Number(line, "imagesPerSecond"));

    private static EpochReport Epoch(JsonElement line) => new(
        (int)Number(line, "epochEnd"), (long)Number(line, "steps"), Number(line, "loss"), Number(line, "teacherEntropy"),
        Number(line, "seconds"), Number(line, "imagesPerSecond"),
        line.TryGetProperty("knnTop1", out var top1) && top1.ValueKind == JsonValueKind.Number ? top1.GetDouble() : null);

    private static double Number(JsonElement line, string name) =>
        line.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : double.NaN;
}
