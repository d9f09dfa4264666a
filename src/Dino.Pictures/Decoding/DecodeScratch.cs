namespace Dino.Pictures.Decoding;

/// <summary>What one decoding needs beside its result.</summary>
internal sealed class DecodeScratch : IDisposable
{
    /// <summary>The file, and some bytes behind it.</summary>
    public NativeBuffer File { get; } = new();

    /// <summary>Rows from a codec.</summary>
    public NativeBuffer Rows { get; } = new();

    /// <summary>Another picture.</summary>
    public RgbImage Picture { get; } = new();

    /// <summary>All that it holds.</summary>
    public long Bytes => File.Size + Rows.Size + Picture.Memory.Length + (Picture.Opacity?.Memory.Length ?? 0);

    public void Dispose()
    {
        File.Dispose();
        Rows.Dispose();
    }
}
