using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;

namespace Dino.Pictures.DataSets;

/// <summary>
/// Lists, dicts, texts, numbers and arrays of numbers out of a Python pickle (protocols 2 to 5), as JSON: the form in which ground truths
/// are
/// published. It is read as data: a name other than NumPy's arrays ends the reading, and nothing is called.
/// </summary>
internal sealed class PickledData
{
    private const int MostBytes = 64 << 20, MostValues = 4 << 20, MostNested = 32;

    private readonly byte[] bytes;
    private readonly List<object?> stack = [];
    private readonly Stack<int> marks = new();
    private readonly Dictionary<uint, object?> memo = [];
    private int at, values;

    private PickledData(byte[] bytes) => this.bytes = bytes;

    /// <summary>Whether a file begins as a pickle does.</summary>
    public static bool Is(ReadOnlySpan<byte> start) => start is [0x80, >= 2 and <= 5, ..];

    /// <summary>The value of a pickle.</summary>
    /// <exception cref="InvalidDataException">It is cut short or malformed, holds more than data, or too much.</exception>
    public static JsonNode? Read(Stream stream)
    {
        if (stream.Length > MostBytes)
            throw new InvalidDataException($"a pickle of {stream.Length} bytes is more than the {MostBytes >> 20} MiB that are read");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var reader = new PickledData(bytes);
        try
        {
            return reader.Json(reader.Run(), 0);
        }
        catch (Exception e) when (e is InvalidCastException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            throw new InvalidDataException($"the pickle is malformed before byte {reader.at}", e);
        }
    }

    private object? Run()
    {
        while (true)
        {
            byte opcode = Take(1)[0];
            switch (opcode)
            {
                case (byte)'.':
                    return Pop();
                case 0x80: // protocol
                    Take(1);
                    break;
                case 0x95: // frame
                    Take(8);
                    break;
                case (byte)'(':
                    marks.Push(stack.Count);
                    break;
                case (byte)'0':
                    Pop();
                    break;
                case (byte)'N':
                    Push(null);
                    break;
                case 0x88 or 0x89:
                    Push(opcode == 0x88);
                    break;
                case (byte)'K':
                    Push((long)Take(1)[0]);
                    break;
                case (byte)'M':
                    Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
                    break;
                case (byte)'J':
                    Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
                    break;
                case 0x8a:
                    Push(Long(Take(Take(1)[0])));
                    break;
                case (byte)'G':
                    Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
                    break;
                case 0x8c:
                    Push(Encoding.UTF8.GetString(Take(Take(1)[0])));
                    break;
                case (byte)'X':
                    Push(Encoding.UTF8.GetString(Take(Count())));
                    break;
                case (byte)'U': // Python 2's text
                    Push(Encoding.Latin1.GetString(Take(Take(1)[0])));
                    break;
                case (byte)'T':
                    Push(Encoding.Latin1.GetString(Take(Count())));
                    break;
                case (byte)'C':
                    Push(Take(Take(1)[0]).ToArray());
                    break;
                case (byte)'B':
                    Push(Take(Count()).ToArray());
                    break;
                case 0x96: // bytearray
                    Push(Take((int)Math.Min(BinaryPrimitives.ReadUInt64LittleEndian(Take(8)), int.MaxValue)).ToArray());
                    break;
                case (byte)']':
                    Push(new List<object?>());
                    break;
                case (byte)'}':
                    Push(new Dictionary<string, object?>());
                    break;
                case (byte)')':
                    Push(Array.Empty<object?>());
                    break;
                case (byte)'t':
                    Push(PopToMark());
                    break;
                case 0x85 or 0x86 or 0x87:
                    Push(PopMany(opcode - 0x84));
                    break;
                case (byte)'a' or (byte)'e':
                    object?[] items = opcode == 'a' ? [Pop()] : PopToMark();
                    ((List<object?>)Top!).AddRange(items);
                    break;
                case (byte)'s' or (byte)'u':
                    object?[] pairs = opcode == 's' ? PopMany(2) : PopToMark();
                    for (int i = 0; i < pairs.Length; i += 2)
                        ((Dictionary<string, object?>)Top!)[(string)pairs[i]!] = pairs[i + 1];
                    break;
                case (byte)'q':
                    memo[Take(1)[0]] = Top;
                    break;
                case (byte)'r':
                    memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Top;
                    break;
                case 0x94:
                    memo[(uint)memo.Count] = Top;
                    break;
                case (byte)'h':
                    Push(Remembered(Take(1)[0]));
                    break;
                case (byte)'j':
                    Push(Remembered(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))));
                    break;
                case (byte)'c':
                    Push(new Name($"{Line()} {Line()}"));
                    break;
                case 0x93:
                    object?[] words = PopMany(2);
                    Push(new Name($"{(string)words[0]!} {(string)words[1]!}"));
                    break;
                case (byte)'R':
                    object?[] call = PopMany(2);
                    Push(Made((Name)call[0]!, (object?[])call[1]!));
                    break;
                case (byte)'b':
                    object? state = Pop();
                    Complete(Top, (object?[])state!);
                    break;
                default:
                    throw new InvalidDataException($"the pickle has an opcode 0x{opcode:x2} at byte {at - 1} that plain data have not");
            }
        }
    }

    private static object Made(Name name, object?[] arguments) => name.Text switch
    {
        "numpy.core.multiarray _reconstruct" or "numpy._core.multiarray _reconstruct" => new Numbers(),
        "numpy.core.multiarray scalar" or "numpy._core.multiarray scalar" => ((DType)arguments[0]!).Read(Bytes(arguments[1])).Single()!,
        "numpy dtype" => new DType((string)arguments[0]!),
        "__builtin__ bytes" or "builtins bytes" when arguments.Length == 0 => Array.Empty<byte>(), // how protocol 2 spells no bytes
        "_codecs encode" => Encoding.Latin1.GetBytes((string)arguments[0]!),
        "numpy.core.numeric _frombuffer" or "numpy._core.numeric _frombuffer" =>
            new Numbers { Values = ((DType)arguments[1]!).Read(Bytes(arguments[0])) },
        _ => throw new InvalidDataException("the pickle calls for more than lists, dicts, texts, numbers and arrays of numbers"),
    };

    private static void Complete(object? what, object?[] state)
    {
        if (what is DType type)
            type.IsBig = (string)state[1]! == ">";
        else
            ((Numbers)what!).Values = state[4] is List<object?> list ? list : ((DType)state[2]!).Read(Bytes(state[4]));
    }

    private static byte[] Bytes(object? value) => value is string text ? Encoding.Latin1.GetBytes(text) : (byte[])value!;

    private static long Long(ReadOnlySpan<byte> digits) => (long)new System.Numerics.BigInteger(digits);

    private JsonNode? Json(object? value, int depth)
    {
        // One list that is named many times is many lists of a text.
        if (++values > MostValues || depth > MostNested)
            throw new InvalidDataException("the pickle describes more than a ground truth");
        switch (value)
        {
            case null:
                return null;
            case bool flag:
                return flag;
            case long whole:
                return whole;
            case double real:
                return double.IsFinite(real) ? real : throw new InvalidDataException("the pickle holds a number that is not finite");
            case string text:
                return text;
            case Numbers numbers:
                return Json(numbers.Values, depth);
            case IEnumerable<object?> items:
                return new JsonArray([.. items.Select(item => Json(item, depth + 1))]);
            case Dictionary<string, object?> entries:
                return new JsonObject(entries.Select(entry => KeyValuePair.Create(entry.Key, Json(entry.Value, depth + 1))));
            default:
                throw new InvalidDataException("the pickle holds something that is no list, dict, text or number");
        }
    }

    private object? Top => stack.Count > 0 ? stack[^1] : throw Short();

    private object? Remembered(uint key) => memo.TryGetValue(key, out object? value) ? value
        : throw new InvalidDataException("the pickle refers to what it has not");

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count < 0 || count > bytes.Length - at)
            throw Short();
        at += count;
        return bytes.AsSpan(at - count, count);
    }

    private int Count() => (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)), int.MaxValue);

    private string Line()
    {
        int length = bytes.AsSpan(at).IndexOf((byte)'\n');
        string line = Encoding.UTF8.GetString(Take(length));
        Take(1);
        return line;
    }

    private void Push(object? value)
    {
        if (++values > MostValues)
            throw new InvalidDataException("the pickle describes more than a ground truth");
        stack.Add(value);
    }

    private object? Pop() => PopMany(1)[0];

    private object?[] PopMany(int count)
    {
        if (count > stack.Count)
            throw Short();
        object?[] popped = [.. stack[^count..]];
        stack.RemoveRange(stack.Count - count, count);
        return popped;
    }

    private object?[] PopToMark() => marks.TryPop(out int mark) && mark <= stack.Count ? PopMany(stack.Count - mark) : throw Short();

    private InvalidDataException Short() => new($"the pickle ends early, or is malformed, at byte {at} of {bytes.Length}");

    private sealed record Name(string Text);

    private sealed class Numbers
    {
        public IReadOnlyList<object?> Values { get; set; } = [];
    }

    /// <summary>A type of NumPy's numbers: a letter and the bytes of one.</summary>
    private sealed class DType(string code)
    {
        public bool IsBig { get; set; }

        public List<object?> Read(byte[] data)
        {
            int size = code is [_, >= '1' and <= '8'] ? code[1] - '0'
                : throw new InvalidDataException("the pickle has an array of what are no numbers");
            if (data.Length % size != 0)
                throw new InvalidDataException($"the pickle has an array of {data.Length} bytes whose numbers have {size}");
            var numbers = new List<object?>(data.Length / size);
            foreach (byte[] number in data.Chunk(size))
            {
                if (IsBig)
                    Array.Reverse(number);
                numbers.Add(code switch
                {
                    "f4" => (double)BitConverter.ToSingle(number),
                    "f8" => BitConverter.ToDouble(number),
                    ['i', ..] => Long(number),
                    ['u' or 'b', ..] => checked((long)new System.Numerics.BigInteger(number, isUnsigned: true)),
                    _ => throw new InvalidDataException("the pickle has an array of what are no numbers"),
                });
            }
            return numbers;
        }
    }
}
