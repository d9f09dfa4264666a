using System.Security.Cryptography;
using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>SHA-256 of files of any size.</summary>
internal static class FileHash
{
    /// <summary>The hash in hexadecimal.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancel">Stops between two pieces of a megabyte.</param>
    public static string Of(string path, CancellationToken cancel = default)
    {
        using var stream = RegularFile.OpenStream(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] piece = new byte[(int)Math.Clamp(stream.Length, 1, 1 << 20)];
        for (int read; (read = stream.Read(piece)) > 0;)
        {
            cancel.ThrowIfCancellationRequested();
            hash.AppendData(piece.AsSpan(0, read));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
