using System.Buffers;
using System.Text.Json;
using Dino.Tensors.Io;

namespace Dino.Train.Log;

/// <summary>
/// Writes <c>log.jsonl</c>: one JSON object a line, one line a step and one an epoch. Not safe for several threads.
/// </summary>
/// <remarks>
/// A line is written into a buffer that is used again, so a step costs no garbage. Lines reach the disk at the end of an epoch and at
/// most <see cref="FlushInterval"/> later.
/// </remarks>
public sealed class RunLog : IDisposable
{
    private readonly FileStream file;
    private readonly ArrayBufferWriter<byte> line = new(1024);
    private readonly Utf8JsonWriter writer;
    private long flushed = Environment.TickCount64;

    private RunLog(FileStream file)
    {
        this.file = file;
        writer = new(line);
    }

    /// <summary>The longest time that a line waits in memory while steps go on.</summary>
    public static TimeSpan FlushInterval { get; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Opens the log of a run that goes on at step <paramref name="firstStep"/>: lines of earlier steps stay, the others, written by the
    /// interrupted run after its checkpoint, are cut off. With 0 the log starts empty.
    /// </summary>
    /// <param name="path">The file; made when missing.</param>
    /// <param name="firstStep">The first step that will be written.</param>
    public static RunLog Open(string path, long firstStep = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstStep);
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 1 << 16);
        try
        {
            file.SetLength(RunLogReader.LengthBefore(file, firstStep));
            file.Seek(0, SeekOrigin.End);
            return new(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes the line of a step.</summary>
    public void Write(in StepRow row)
    {
        Begin();
        writer.WriteNumber("step"u8, row.Step);
        writer.WriteNumber("epoch"u8, row.Epoch);
        for (int i = 0; i < row.Measures.Count; i++)
            if (row.Measures[i].IsLogged)
                Number(row.Measures[i].Name, row.Values[i]);
        Number("imagesPerSecond", row.ImagesPerSecond);
        End();
        if (Environment.TickCount64 - flushed >= (long)FlushInterval.TotalMilliseconds)
            Flush();
    }

    /// <summary>Writes the line of an epoch and sends everything to the disk.</summary>
    public void Write(EpochRow row)
    {
        Begin();
        writer.WriteNumber("epochEnd"u8, row.Epoch);
        writer.WriteNumber("steps"u8, row.Steps);
        foreach (var (measure, mean) in row.Means)
            Number(measure.Name, mean);
        Number("seconds", row.Seconds);
        Number("imagesPerSecond", row.ImagesPerSecond);
        if (row.KnnTop1 is double top1)
            Number("knnTop1", top1);
        End();
        Flush();
    }

    /// <summary>Sends everything written so far to the disk.</summary>
    public void Flush()
    {
        file.Flush();
        flushed = Environment.TickCount64;
    }

    /// <summary>Sends everything to the disk and waits until it is there: a checkpoint counts on the lines before it.</summary>
    /// <exception cref="IOException">Something could not be written.</exception>
    public void Sync()
    {
        DurableFile.Sync(file);
        flushed = Environment.TickCount64;
    }

    /// <summary>Sends everything to the disk and closes the file.</summary>
    /// <exception cref="IOException">Something could not be written.</exception>
    public void Close()
    {
        DurableFile.Sync(file);
        DurableFile.Close(file);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        writer.Dispose();
        file.Dispose();
    }

    private void Begin()
    {
        line.ResetWrittenCount();
        writer.Reset(line);
        writer.WriteStartObject();
    }

    private void End()
    {
        writer.WriteEndObject();
        writer.Flush();
        line.GetSpan(1)[0] = (byte)'\n';
        line.Advance(1);
        file.Write(line.WrittenSpan);
    }

    // JSON has no word for NaN and infinity.
    private void Number(string name, double value)
    {
        if (double.IsFinite(value))
            writer.WriteNumber(name, value);
        else
            writer.WriteNull(name);
    }
}
