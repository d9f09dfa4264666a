using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Dino.Tensors.Io;

/// <summary>
/// Names of files as text. On Linux a name is bytes, of which not all are UTF-8; each byte that is none becomes a lone surrogate U+DC80 …
/// U+DCFF, as in
/// Python, so that text and bytes belong to each other one to one.
/// </summary>
public static class RawName
{
    private const char First = '\uDC80', Last = '\uDCFF';
    private const int Offset = First - 0x80;

    /// <summary>The text of a name's bytes.</summary>
    public static string Of(ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes))
            return Encoding.UTF8.GetString(bytes);
        var text = new StringBuilder(bytes.Length);
        while (bytes.Length > 0)
        {
            if (Rune.DecodeFromUtf8(bytes, out var rune, out int length) == OperationStatus.Done)
            {
                text.Append(rune);
            }
            else
            {
                length = 1;
                text.Append((char)(bytes[0] + Offset));
            }
            bytes = bytes[length..];
        }
        return text.ToString();
    }

    /// <summary>Whether the name is UTF-8, so that the platform's own functions find the file.</summary>
    public static bool IsPlain(string name) => !name.AsSpan().ContainsAnyInRange(First, Last) || Utf8.IsValid(Bytes(name));

    /// <summary>The bytes of a name.</summary>
    public static byte[] Bytes(string name)
    {
        if (!name.AsSpan().ContainsAnyInRange(First, Last))
            return Encoding.UTF8.GetBytes(name);
        var bytes = new List<byte>(name.Length + 8);
        Span<byte> buffer = stackalloc byte[4];
        for (var rest = name.AsSpan(); rest.Length > 0;)
        {
            bool whole = Rune.DecodeFromUtf16(rest, out var rune, out int length) == OperationStatus.Done;
            if (!whole && rest[0] is >= First and <= Last)
            {
                bytes.Add((byte)(rest[0] - Offset));
                length = 1;
            }
            else
            {
                bytes.AddRange(buffer[..rune.EncodeToUtf8(buffer)]);
            }
            rest = rest[length..];
        }
        return [.. bytes];
    }

    /// <summary>The name for people and for text files: bytes that are no UTF-8 as \xE9.</summary>
    public static string Shown(string name)
    {
        if (IsPlain(name))
            return name;
        var text = new StringBuilder(name.Length + 8);
        for (int i = 0; i < name.Length; i++)
        {
            if (name[i] is >= First and <= Last && (i == 0 || !char.IsHighSurrogate(name[i - 1])))
                text.Append($"\\x{name[i] - Offset:X2}");
            else
                text.Append(name[i]);
        }
        return text.ToString();
    }
}
