using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace Dino.Tensors.Io.Pickle;

/// <summary>
/// Reads a pickle as data: the opcodes that protocol 2 needs for a state dict, names from <see cref="PickleNames"/>, and no way to call
/// anything.
/// Objects of other programs are passed over. Written by a stranger, so that every count is checked before it is used.
/// </summary>
/// <remarks>
/// The opcodes are those of Python's pickletools. An unknown name or opcode ends the reading; there is no laxer path. Messages say
/// opcode, place and kind, never what a text holds.
/// </remarks>
internal sealed class PickleReader(string file, byte[] bytes, PickleBudget budget)
{
    private const int MaxMarks = 64, MaxRank = 32, MaxName = 200;
    private const int ValueCost = 64, EntryCost = 96;

    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private readonly Dictionary<string, PickleStorage> storages = [];
    private readonly Dictionary<uint, PickleValue> memo = [];
    private readonly List<PickleValue> stack = [];
    private readonly List<int> marks = [];
    private int opcodeAt;

    /// <summary>Where the next byte is read.</summary>
    public int At { get; set; }

    /// <summary>The storages that tensors were found to lie in, in the order of their first mention.</summary>
    public IEnumerable<PickleStorage> Storages => storages.Values;

    /// <summary>Reads one pickle from <see cref="At"/>, which then stands behind it.</summary>
    /// <exception cref="InvalidDataException">The pickle is cut short, malformed, or holds something else than data.</exception>
    public PickleValue Read()
    {
        memo.Clear();
        opcodeAt = At;
        if (Byte() != 0x80 || Byte() != 2)
            throw Wrong("a pickle of protocol 2 was expected");
        while (true)
        {
            opcodeAt = At;
            byte opcode = Byte();
            if (opcode == (byte)'.')
                break;
            Execute(opcode);
        }
        if (stack.Count != 1 || marks.Count != 0)
            throw Wrong($"it ends with {stack.Count} values instead of one");
        return Pop();
    }

    private void Execute(byte opcode)
    {
        switch ((char)opcode)
        {
            case '(':
                if (marks.Count == MaxMarks)
                    throw Wrong($"more than {MaxMarks} values are nested");
                marks.Add(stack.Count);
                break;
            case '}':
                Push(new PickleMap(), 4 * ValueCost);
                break;
            case ']':
                Push(new PickleSequence(false, []), 2 * ValueCost);
                break;
            case ')':
                Push(new PickleSequence(true, []), 2 * ValueCost);
                break;
            case 't':
                Push(new PickleSequence(true, PopToMark()), 2 * ValueCost);
                break;
            case '\x85' or '\x86' or '\x87':
                Push(new PickleSequence(true, PopMany(opcode - 0x84)), 2 * ValueCost);
                break;
            case 'a':
                var last = Pop();
                Append([last]);
                break;
            case 'e':
                Append(PopToMark());
                break;
            case 's':
                SetItems(PopMany(2));
                break;
            case 'u':
                SetItems(PopToMark());
                break;
            case 'q':
                Memorise(Byte());
                break;
            case 'r':
                Memorise(BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4)));
                break;
            case 'h':
                Recall(Byte());
                break;
            case 'j':
                Recall(BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4)));
                break;
            case 'N':
                Push(new PickleScalar(PickleScalar.None, "None"));
                break;
            case '\x88' or '\x89':
                Push(new PickleScalar(PickleScalar.Flag, opcode == 0x88 ? "True" : "False"));
                break;
            case 'K':
                Push(Integer(Byte()));
                break;
            case 'M':
                Push(Integer(BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2))));
                break;
            case 'J':
                Push(Integer(BinaryPrimitives.ReadInt32LittleEndian(Bytes(4))));
                break;
            case '\x8a':
                Push(Integer(new BigInteger(Bytes(Byte()))));
                break;
            case '\x8b':
                _ = Bytes(BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4)));
                Push(new PickleObject("int")); // longer than any number of ours
                break;
            case 'G':
                Push(Float(BinaryPrimitives.ReadDoubleBigEndian(Bytes(8))));
                break;
            case 'X':
                Push(Text());
                break;
            case 'c':
                Push(Global());
                break;
            case 'Q':
                Push(Storage(Pop()));
                break;
            case 'R':
                var arguments = Tuple(Pop(), "a call without a tuple");
                Push(Build(Pop(), arguments));
                break;
            case '\x81':
                var given = Tuple(Pop(), "NEWOBJ without a tuple");
                switch (Pop())
                {
                    // An empty one, to be filled by BUILD.
                    case PickleGlobal { Name: PickleName.Namespace } when given.Count == 0:
                        Push(new PickleMap(PickleName.Namespace), 4 * ValueCost);
                        break;
                    case PickleGlobal { Name: PickleName.Foreign } type:
                        Push(new PickleObject(type.Text));
                        break;
                    default:
                        throw Wrong("NEWOBJ of something else than an empty argparse.Namespace");
                }
                break;
            case 'b':
                SetState(Pop());
                break;
            default:
                throw Wrong("this opcode is not read");
        }
    }

    /// <summary>What a name and its arguments stand for: one case for each, and none that runs anything.</summary>
    private PickleValue Build(PickleValue callee, List<PickleValue> arguments)
    {
        // What an object of another program gives when it is called is another.
        if (callee is PickleObject unknown)
            return unknown;
        if (callee is not PickleGlobal global)
            throw Wrong($"a {callee.Kind} cannot be called");
        budget.Spend(3 * ValueCost);
        switch (global.Name)
        {
            case PickleName.OrderedDict or PickleName.Namespace when arguments is []:
                return new PickleMap(global.Name);
            case PickleName.DefaultDict:
                return new PickleMap(); // the default is of no use here
            case PickleName.Foreign:
                return new PickleObject(arguments is [PickleGlobal { Name: PickleName.Foreign } of, ..]
                    && global.Text.EndsWith("._reconstructor", StringComparison.Ordinal) ? of.Text : global.Text);
            case PickleName.Attribute when arguments
                is [PickleGlobal { Name: PickleName.Foreign } owner, PickleScalar { Kind: PickleScalar.Text } name]:
                return new PickleObject($"{owner.Text}.{name.Value[..Math.Min(name.Value.Length, MaxName)]}");
            case PickleName.RebuildTensor when arguments
                is [PickleStorage storage, var offset, var shape, var strides, var gradient, PickleMap hooks, ..]:
                if (hooks.Entries.Count != 0 || arguments.Count > 7 || arguments.Count == 7 && arguments[6].Kind != PickleScalar.None
                    || gradient.Kind != PickleScalar.Flag)
                    throw Wrong("a tensor with hooks or attributes");
                return Tensor(storage, Long(offset), Longs(shape), Longs(strides));
            case PickleName.RebuildParameter when arguments
                is [PickleTensor tensor, PickleScalar { Kind: PickleScalar.Flag }, PickleMap { Entries.Count: 0 }]:
                return tensor;
            case PickleName.Size when arguments is [PickleSequence sizes]:
                return new PickleSequence(true, [.. sizes.Items]);
            case PickleName.Encode when arguments
                is [PickleScalar { Kind: PickleScalar.Text } text, PickleScalar { Kind: PickleScalar.Text, Value: "latin1" }]:
                if (text.Value.Any(c => c > 255))
                    throw Wrong("bytes with values over 255");
                return new PickleScalar(PickleScalar.Bytes, text.Value);
            case PickleName.NumpyDType when arguments
                is [PickleScalar { Kind: PickleScalar.Text } code, PickleScalar { Kind: PickleScalar.Flag },
                PickleScalar { Kind: PickleScalar.Flag }]:
                return new PickleDType(code.Value);
            case PickleName.NumpyScalar when arguments is [PickleDType type, PickleScalar { Kind: PickleScalar.Bytes } value]:
                return NumpyScalar(type.Code, Encoding.Latin1.GetBytes(value.Value));
            default:
                throw Wrong($"{global.Name} with the arguments ({string.Join(", ", arguments.Take(8).Select(argument => argument.Kind))})");
        }
    }

    private PickleValue NumpyScalar(string code, byte[] value) => (code, value.Length) switch
    {
        ("f8", 8) => Float(BinaryPrimitives.ReadDoubleLittleEndian(value)),
        ("f4", 4) => Float(BinaryPrimitives.ReadSingleLittleEndian(value)),
        ("i8", 8) => Integer(BinaryPrimitives.ReadInt64LittleEndian(value)),
        ("i4", 4) => Integer(BinaryPrimitives.ReadInt32LittleEndian(value)),
        ("b1", 1) => new PickleScalar(PickleScalar.Flag, value[0] != 0 ? "True" : "False"),
        _ when code.Length > 0 && "iufcbSUMmV?".Contains(code[0], StringComparison.Ordinal) => new PickleObject("numpy." + code[0]),
        _ => throw Wrong($"a numpy number of {value.Length} bytes and a type other than f8, f4, i8, i4 and b1"),
    };

    private void SetState(PickleValue state)
    {
        switch (Top())
        {
            // Attributes of the dict, such as the versions of its modules: not entries.
            case PickleMap { Name: PickleName.OrderedDict } when state is PickleMap:
                break;
            case PickleMap { Name: PickleName.Namespace } target when state is PickleMap source:
                foreach (var (key, value) in source.Entries)
                    Add(target, key, value);
                break;
            case PickleObject:
                break;
            case PickleDType { Code: not ['O', ..] } type when state
                is PickleSequence { IsTuple: true, Items: [_, PickleScalar { Kind: PickleScalar.Text, Value: ">" }, ..] }:
                type.Code = "?";
                break;
            case PickleDType when state is PickleSequence
            {
                IsTuple: true,
                Items: [_, PickleScalar { Kind: PickleScalar.Text, Value: "<" or "|" or "=" }, ..]
            }:
                break;
            case var target:
                throw Wrong($"a state of kind {state.Kind} for a {target.Kind}");
        }
    }

    private PickleStorage Storage(PickleValue id)
    {
        if (id is not PickleSequence
            {
                IsTuple: true,
                Items: [PickleScalar { Kind: PickleScalar.Text, Value: "storage" }, PickleGlobal { Name: PickleName.Storage } type,
                    PickleScalar { Kind: PickleScalar.Text } key, PickleScalar { Kind: PickleScalar.Text }, var length, .. var view],
            })
            throw Wrong("a reference to something else than a storage");
        if (view is not ([] or [PickleScalar { Kind: PickleScalar.None }]))
            throw Wrong("a storage that is a view of another");
        long count = Long(length);
        if (storages.TryGetValue(key.Value, out var known))
            return known.Type == type.Type && known.Count == count ? known : throw Wrong("a storage that has two types or lengths");
        budget.Spend(EntryCost);
        var storage = new PickleStorage(key.Value, type.Type, count);
        storages.Add(key.Value, storage);
        return storage;
    }

    /// <summary>offset + Σ (sizeᵢ − 1) · strideᵢ &lt; length, and no element shared but by a stride of 0.</summary>
    private PickleTensor Tensor(PickleStorage storage, long offset, long[] shape, long[] strides)
    {
        if (shape.Length != strides.Length || shape.Length > MaxRank)
            throw Wrong($"a tensor of {shape.Length} sizes and {strides.Length} strides");
        bool empty = shape.Contains(0);
        UInt128 last = (ulong)offset, count = empty ? UInt128.Zero : UInt128.One;
        for (int i = 0; i < shape.Length && !empty; i++)
        {
            // Neither product can wrap: what they start from is at most 2⁶³, checked in every turn.
            last += (UInt128)(ulong)(shape[i] - 1) * (ulong)strides[i];
            count *= (ulong)shape[i];
            if (last >= (ulong)storage.Count)
                throw Wrong($"a tensor that reaches past its storage of {storage.Count} elements");
            if (count > long.MaxValue / 8)
                throw Wrong("a tensor of more elements than there can be");
        }
        if (empty ? offset > storage.Count : last >= (ulong)storage.Count)
            throw Wrong($"a tensor that begins past its storage of {storage.Count} elements");
        long reach = 0;
        foreach (int i in Enumerable.Range(0, shape.Length).Where(i => !empty && shape[i] > 1 && strides[i] > 0).OrderBy(i => strides[i]))
        {
            if (strides[i] <= reach)
                throw Wrong("a tensor whose elements overlap");
            reach += (shape[i] - 1) * strides[i];
        }
        budget.Spend(16L * shape.Length);
        return new PickleTensor(storage, offset, shape, strides);
    }

    private PickleGlobal Global()
    {
        string module = Line(), name = Line();
        return PickleNames.Find(module, name)
            ?? throw Wrong($"the name {StoredTensor.Quote($"{module}.{name}")} is not one of plain data");
    }

    private string Line()
    {
        int length = bytes.AsSpan(At, Math.Min(MaxName + 1, bytes.Length - At)).IndexOf((byte)'\n');
        if (length < 0)
            throw Wrong($"a name of more than {MaxName} bytes");
        string line = Encoding.Latin1.GetString(bytes, At, length);
        At += length + 1;
        return line;
    }

    private PickleScalar Text()
    {
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4));
        var text = Bytes(length);
        budget.Spend(2L * length);
        try
        {
            return new PickleScalar(PickleScalar.Text, Utf8.GetString(text));
        }
        catch (DecoderFallbackException)
        {
            throw Wrong("a text that is not UTF-8");
        }
    }

    private void Append(List<PickleValue> items)
    {
        if (Top() is PickleObject)
            return;
        if (Top() is not PickleSequence { IsTuple: false } list)
            throw Wrong($"values appended to a {Top().Kind}");
        budget.Spend(16L * items.Count);
        list.Items.AddRange(items);
    }

    private void SetItems(List<PickleValue> items)
    {
        if (Top() is PickleObject && items.Count % 2 == 0)
            return;
        if (Top() is not PickleMap map || items.Count % 2 != 0)
            throw Wrong($"{items.Count} keys and values set in a {Top().Kind}");
        for (int i = 0; i < items.Count; i += 2)
        {
            string key = items[i] switch
            {
                PickleScalar { Kind: not PickleScalar.Bytes } scalar => scalar.Value,
                // Settings have keys of any kind; weights have texts.
                PickleObject or PickleSequence { IsTuple: true } or PickleScalar =>
                    string.Create(CultureInfo.InvariantCulture, $"({items[i].Kind} {map.Entries.Count})"),
                var other => throw Wrong($"a key of kind {other.Kind}"),
            };
            Add(map, key, items[i + 1]);
        }
    }

    private void Add(PickleMap map, string key, PickleValue value)
    {
        budget.Spend(EntryCost);
        if (!map.Entries.TryAdd(key, value))
            throw Wrong("a key that is there already");
    }

    private void Memorise(uint index)
    {
        budget.Spend(EntryCost);
        memo[index] = Top();
    }

    private void Recall(uint index) => Push(memo.TryGetValue(index, out var value) ? value : throw Wrong("a value that was not kept"), 16);

    private void Push(PickleValue value, int cost = ValueCost)
    {
        budget.Spend(cost);
        stack.Add(value);
    }

    private PickleValue Top() => stack.Count > Floor ? stack[^1] : throw Wrong("the stack is empty");

    private PickleValue Pop()
    {
        var top = Top();
        stack.RemoveAt(stack.Count - 1);
        return top;
    }

    private List<PickleValue> PopMany(int count)
    {
        if (stack.Count - count < Floor)
            throw Wrong("the stack is empty");
        var items = stack.GetRange(stack.Count - count, count);
        stack.RemoveRange(stack.Count - count, count);
        return items;
    }

    private List<PickleValue> PopToMark()
    {
        if (marks.Count == 0)
            throw Wrong("no mark is set");
        int count = stack.Count - Floor;
        budget.Spend(8L * count);
        var items = PopMany(count);
        marks.RemoveAt(marks.Count - 1);
        return items;
    }

    // What lies below the last mark belongs to the values around.
    private int Floor => marks.Count == 0 ? 0 : marks[^1];

    private List<PickleValue> Tuple(PickleValue value, string otherwise) =>
        value is PickleSequence { IsTuple: true } tuple ? tuple.Items : throw Wrong(otherwise);

    private long Long(PickleValue value) =>
        value is PickleScalar { Kind: PickleScalar.Integer } number
            && long.TryParse(number.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long result) && result >= 0
            ? result
            : throw Wrong("a count, offset or stride that is not a number from 0 to 2⁶³ − 1");

    private long[] Longs(PickleValue value)
    {
        var items = Tuple(value, $"sizes or strides of kind {value.Kind}");
        return items.Count <= MaxRank ? [.. items.Select(Long)] : throw Wrong($"a tensor of {items.Count} dimensions");
    }

    private static PickleScalar Integer(BigInteger value) => new(PickleScalar.Integer, value.ToString(CultureInfo.InvariantCulture));

    private static PickleScalar Float(double value) => new(PickleScalar.Float, value.ToString("R", CultureInfo.InvariantCulture));

    private byte Byte() => Bytes(1)[0];

    private ReadOnlySpan<byte> Bytes(uint count)
    {
        if (count > bytes.Length - At)
            throw Wrong($"{count} bytes are announced and {bytes.Length - At} are left");
        var result = bytes.AsSpan(At, (int)count);
        At += (int)count;
        return result;
    }

    private InvalidDataException Wrong(string what)
    {
        string opcode = opcodeAt < bytes.Length
            ? string.Create(CultureInfo.InvariantCulture, $"opcode 0x{bytes[opcodeAt]:x2} at byte {opcodeAt}") : "end";
        return new InvalidDataException($"{file}: refused in the pickle, {opcode}: {what}.");
    }
}
