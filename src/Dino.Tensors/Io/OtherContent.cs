using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Dino.Tensors.Io;

/// <summary>What a file is that is no weights file, by its first bytes, and what to do: most are downloads that went wrong.</summary>
internal static class OtherContent
{
    private static readonly (byte[] Head, string Words)[] heads =
    [
        ([0x1f, 0x8b], "gzip-compressed: unpack it first (gunzip, tar -xzf)"),
        ([0x28, 0xb5, 0x2f, 0xfd], "zstd-compressed: unpack it first (unzstd)"),
        ([0x42, 0x5a, 0x68], "bzip2-compressed: unpack it first (bunzip2)"),
        ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], "xz-compressed: unpack it first (unxz)"),
        ([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], "a 7z archive: unpack it first"),
        ([0x52, 0x61, 0x72, 0x21], "a RAR archive: unpack it first"),
        ([0x89, 0x48, 0x44, 0x46], "an HDF5 file of Keras or TensorFlow: weights of PyTorch or safetensors are read"),
        ([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], "an array of numpy, not a checkpoint"),
        ([0x89, 0x50, 0x4e, 0x47], "a picture (PNG), not a checkpoint"),
        ([0xff, 0xd8, 0xff], "a picture (JPEG), not a checkpoint"),
        ([0x47, 0x49, 0x46, 0x38], "a picture (GIF), not a checkpoint"),
        ([0x47, 0x47, 0x55, 0x46], "a GGUF file: weights of PyTorch or safetensors are read"),
        ([0x25, 0x50, 0x44, 0x46], "a PDF document, not a checkpoint"),
        ([0x7f, 0x45, 0x4c, 0x46], "a program, not a checkpoint"),
    ];

    /// <summary>What it is and what to do, in words.</summary>
    /// <param name="head">The first bytes, up to 512.</param>
    /// <param name="length">Of the file.</param>
    public static string Describe(ReadOnlySpan<byte> head, long length)
    {
        if (length == 0)
            return "it is empty: download or copy it again";
        foreach (var (start, words) in heads)
            if (head.StartsWith(start))
                return words;
        if (head is [0x80, > 2 and <= 5, ..])
            return $"a pickle of protocol {head[1]}, which torch.save does not write by itself: save it anew with torch.save(state_dict, "
                + $"path)";
        if (head[Math.Min(head.Length, 257)..].StartsWith("ustar"u8))
            return "a tar archive; of PyTorch's files the zip container and the older stream are read. Unpack it first, or load it in "
                + "PyTorch and save it anew";
        if (head.IndexOfAnyExcept((byte)0) < 0)
            return $"its first {head.Length} bytes are all 0: a download that was not finished. Fetch it again";
        string text = Encoding.UTF8.GetString(head).TrimStart('\uFEFF', ' ', '\r', '\n', '\t');
        if (text.StartsWith("version https://git-lfs", StringComparison.Ordinal))
            return $"a pointer of Git LFS ({length} bytes) in the place of the file{Size(text)}: git lfs pull fetches it";
        if (text.StartsWith("<!doctype", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase))
            return "an HTML page, not a checkpoint: the download gave a web page (an error or a login). Fetch the file itself";
        if (text.StartsWith("<?xml", StringComparison.Ordinal) || text.StartsWith("<Error", StringComparison.Ordinal))
            return "an XML text, not a checkpoint: the download gave an error. Fetch the file itself";
        if (text.StartsWith('{') || text.StartsWith('['))
            return "a JSON text, not a checkpoint: the weights are in another file, or the download gave an error";
        // A safetensors file whose header does not begin where it should.
        bool isText = head.IndexOfAnyInRange((byte)0, (byte)8) < 0;
        return isText ? $"a text of {length} bytes, not a checkpoint: it begins with '{Printable(text)}'" : length >= 8
            && BinaryPrimitives.ReadUInt64LittleEndian(head) <= (ulong)length
            ? $"neither a safetensors nor a PyTorch file ({length} bytes that begin with "
                + $"{Convert.ToHexString(head[..Math.Min(head.Length, 8)])}): damaged, or of another program"
            : $"neither a safetensors nor a PyTorch file ({length} bytes that begin with "
                + $"{Convert.ToHexString(head[..Math.Min(head.Length, 8)])})";
    }

    // The third line of a pointer: the size of what it stands for.
    private static string Size(string text) =>
        text.Split('\n').FirstOrDefault(line => line.StartsWith("size ", StringComparison.Ordinal)) is { } line
            && long.TryParse(line[5..].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long size)
            ? $", which has {size}"
            : "";

    private static string Printable(string text) =>
        string.Concat(text.TakeWhile(c => c is not ('\r' or '\n')).Take(40)
        .Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
}
