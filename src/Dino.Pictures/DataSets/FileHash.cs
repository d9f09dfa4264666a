using System.Security.Cryptography;
using Dino.Pictures.Decoding;
using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>SHA-256 of files of any size, in hexadecimal.</summary>
internal static class FileHash
{
    /// <summary>The hash of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancel">Stops between two pieces of a megabyte.</param>
    public static string Of(string path, CancellationToken cancel = default)
    {
        using var stream = RegularFile.OpenStream(path);
        return Of((piece, _) => stream.Read(piece), stream.Length, cancel);
    }

    /// <summary>The hash of a picture's file, in an archive or by itself.</summary>
    /// <param name="input">The file.</param>
    /// <param name="cancel">Stops between two pieces of a megabyte.</param>
    public static string Of(PictureInput input, CancellationToken cancel = default) =>
        Of((piece, at) => input.Read(piece, at), input.Length, cancel);

    private static string Of(Func<byte[], long, int> read, long length, CancellationToken cancel)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] piece = new byte[(int)Math.Clamp(length, 1, 1 << 20)];
        long at = 0;
        for (int count; (count = read(piece, at)) > 0; at += count)
        {
            cancel.ThrowIfCancellationRequested();
            hash.AppendData(piece.AsSpan(0, count));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
