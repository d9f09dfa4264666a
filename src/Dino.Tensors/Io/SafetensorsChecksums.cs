using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace Dino.Tensors.Io;

/// <summary>
/// The checksums that our safetensors files carry in their metadata, where other readers see two texts: one sum a tensor, in the order of
/// the data, and one of the header itself. XXH3 with 64 bits, in hexadecimal digits.
/// </summary>
/// <remarks>
/// The header's sum is taken with zeros in its own place. There are both or neither: a flipped bit in the name of one leaves the other.
/// </remarks>
internal static class SafetensorsChecksums
{
    /// <summary>The metadata's keys.</summary>
    public const string HeaderKey = "xxh3.header", TensorsKey = "xxh3.tensors";

    /// <summary>Digits of a sum.</summary>
    public const int Digits = 16;

    private const string WhatToDo = "Copy the file anew from where it is whole, or take an earlier checkpoint.";

    public static bool IsKey(string key) => key is HeaderKey or TensorsKey;

    /// <summary>Writes a sum's digits.</summary>
    public static void Format(ulong sum, Span<byte> digits) =>
        Encoding.ASCII.GetBytes(sum.ToString("x16", CultureInfo.InvariantCulture), digits);

    /// <summary>The sum of a header whose own sum stands at <paramref name="place"/>.</summary>
    public static ulong OfHeader(ReadOnlySpan<byte> header, int place)
    {
        var hash = new XxHash3();
        hash.Append(header[..place]);
        hash.Append("0000000000000000"u8);
        hash.Append(header[(place + Digits)..]);
        return hash.GetCurrentHashAsUInt64();
    }

    /// <summary>Compares the header and every tensor with their sums, reading the file once.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="header">Its header.</param>
    /// <exception cref="InvalidDataException">A bit is another than was written; the message says in which tensor.</exception>
    public static void Verify(FileBytes bytes, SafetensorsHeader header)
    {
        if (header.HeaderSum is null && header.TensorSums is null)
            return; // another program's
        if (header.HeaderSum is not { } headerSum || header.TensorSums is not { } sums || sums.Length != Digits * header.Tensors.Count)
            throw new InvalidDataException($"{bytes.Path}: its header is damaged: the checksums are not those of {header.Tensors.Count} "
                + $"tensors. {WhatToDo}");
        if (!Same(headerSum, header.ActualHeaderSum))
            throw new InvalidDataException($"{bytes.Path}: its header is damaged: it is not the one that was written, by its checksum. "
                + $"{WhatToDo}");
        var hash = new XxHash3();
        byte[] piece = new byte[(int)Math.Clamp(bytes.Length, 1, 1 << 18)];
        for (int i = 0; i < header.Tensors.Count; i++)
        {
            var tensor = header.Tensors[i];
            for (long at = 0; at < tensor.ByteLength; at += piece.Length)
            {
                var part = piece.AsSpan(0, (int)Math.Min(piece.Length, tensor.ByteLength - at));
                bytes.Read(part, tensor.Start + at);
                hash.Append(part);
            }
            if (!Same(sums.AsSpan(i * Digits, Digits), hash.GetCurrentHashAsUInt64()))
                throw new InvalidDataException(
                    $"{bytes.Path}: tensor {StoredTensor.Quote(tensor.Name)} is damaged: "
                    + $"its values are not those that were written, by its checksum. {WhatToDo}");
            hash.Reset();
        }
    }

    private static bool Same(ReadOnlySpan<char> digits, ulong sum) =>
        digits.Length == Digits && digits.SequenceEqual(sum.ToString("x16", CultureInfo.InvariantCulture));
}
