using System.Buffers.Binary;
using System.IO.Compression;
using Dino.Pictures.Decoding;
using SkiaSharp;

namespace Dino.Testing.Runs;

/// <summary>A temporary folder with pictures made on the spot.</summary>
public sealed class PictureFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("dino-pictures-").FullName;

    public void Dispose()
    {
        if (Directory.Exists(Root))
            Directory.Delete(Root, recursive: true);
    }

    public string PathOf(string name)
    {
        string path = Path.Combine(Root, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    public string Write(string name, ReadOnlySpan<byte> bytes)
    {
        string path = PathOf(name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>A picture that no two numbers share, in the format that the name ends with.</summary>
    public string WritePicture(string name, int number, int width = 40, int height = 30) =>
        Write(name, Encode(name, Pattern(number, width, height)));

    /// <summary>Leaves the first bytes of a file that is there: the damage of an interrupted copy.</summary>
    public void Cut(string name, int bytes) => Write(name, File.ReadAllBytes(PathOf(name)).AsSpan(0, bytes));

    public static RgbImage Pattern(int number, int width, int height)
    {
        var image = new RgbImage(width, height);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                Rgb(number, x, y).CopyTo(image.Row(y)[(3 * x)..]);
        return image;
    }

    public static byte[] Encode(string name, RgbImage image)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        for (int y = 0; y < image.Height; y++)
            for (int x = 0; x < image.Width; x++)
                bitmap.SetPixel(x, y, new SKColor(image.Row(y)[3 * x], image.Row(y)[3 * x + 1], image.Row(y)[3 * x + 2]));
        var format = Path.GetExtension(name) switch
        {
            ".png" => SKEncodedImageFormat.Png,
            ".webp" => SKEncodedImageFormat.Webp,
            _ => SKEncodedImageFormat.Jpeg,
        };
        using SKData data = bitmap.Encode(format, 95);
        return data.ToArray();
    }

    /// <summary>A PNG of any kind: raw holds the rows, each behind its filter byte 0.</summary>
    public static byte[] Png(int width, int height, byte depth, byte kind, ReadOnlySpan<byte> raw,
        params (string Name, byte[] Data)[] extra)
    {
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (depth, kind);
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            zlib.Write(raw);
        Chunk(file, "IHDR", header);
        foreach (var (name, data) in extra)
            Chunk(file, name, data);
        Chunk(file, "IDAT", packed.ToArray());
        Chunk(file, "IEND", []);
        return file.ToArray();
    }

    private static byte[] Rgb(int number, int x, int y) =>
        [(byte)(number * 37 + x * 5), (byte)(number * 11 + y * 7), (byte)(number * 53 + (x + y) * 3)];

    private static void Chunk(Stream file, string name, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        byte[] body = [.. System.Text.Encoding.ASCII.GetBytes(name), .. data];
        file.Write(body);
        uint crc = ~0u;
        foreach (byte value in body)
        {
            crc ^= value;
            for (int k = 0; k < 8; k++)
                crc = (crc & 1) != 0 ? 0xEDB88320u ^ (crc >> 1) : crc >> 1;
        }
        BinaryPrimitives.WriteUInt32BigEndian(number, ~crc);
        file.Write(number);
    }
}
