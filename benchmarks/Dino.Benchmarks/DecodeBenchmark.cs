using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;

namespace Dino.Benchmarks;

/// <summary>A folder's pictures in memory, and what decoding them takes; those that either mode refuses are left out.</summary>
internal sealed class DecodeBenchmark : IDisposable
{
    private readonly RgbImage image = new();
    private readonly Dictionary<DecodeMode, ImageDecoder> decoders =
        Enum.GetValues<DecodeMode>().ToDictionary(mode => mode, mode => new ImageDecoder { Mode = mode });

    private readonly List<ReadOnlyMemory<byte>> files = [];

    /// <exception cref="ArgumentException">No picture of the folder can be read.</exception>
    public DecodeBenchmark(string data)
    {
        var folder = ImageFolder.Scan(data);
        for (int i = 0; i < folder.Count; i++)
        {
            using var input = folder.Open(i);
            byte[] bytes = new byte[input.Length];
            for (int read = 0, more; read < bytes.Length && (more = input.Read(bytes.AsSpan(read), read)) > 0;)
                read += more;
            if (decoders.Values.All(decoder => CanRead(decoder, bytes)))
                files.Add(bytes);
        }
        Refused = folder.Count - files.Count;
        if (files.Count == 0)
            throw new ArgumentException($"No picture of '{data}' can be read.");
    }

    /// <summary>Pictures that are decoded.</summary>
    public int Count => files.Count;

    /// <summary>Pictures that are not.</summary>
    public int Refused { get; }

    /// <summary>Decodes all pictures, over and over, for so much processor time: milliseconds of it for a picture.</summary>
    public double Milliseconds(DecodeMode mode, double seconds)
    {
        var decoder = decoders[mode];
        int count = 0;
        var start = Environment.CpuUsage.TotalTime;
        TimeSpan taken;
        do
        {
            foreach (var file in files)
                decoder.Decode(file, image);
            count += files.Count;
            taken = Environment.CpuUsage.TotalTime - start;
        }
        while (taken.TotalSeconds < seconds);
        return taken.TotalMilliseconds / count;
    }

    public void Dispose()
    {
        foreach (var decoder in decoders.Values)
            decoder.Dispose();
    }

    private bool CanRead(ImageDecoder decoder, ReadOnlyMemory<byte> file)
    {
        try
        {
            decoder.Decode(file, image);
            return true;
        }
        catch (ImageDecodeException)
        {
            return false;
        }
    }
}
