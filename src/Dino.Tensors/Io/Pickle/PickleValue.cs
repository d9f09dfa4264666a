namespace Dino.Tensors.Io.Pickle;

/// <summary>What a pickle can describe here: plain data and tensors that are still in the file. Nothing in it can be called.</summary>
internal abstract class PickleValue
{
    /// <summary>What it is, for a message.</summary>
    public abstract string Kind { get; }
}

/// <summary>A name that a pickle refers to; one of a few, and never more than this value.</summary>
internal enum PickleName
{
    OrderedDict,
    DefaultDict,
    Namespace,
    RebuildTensor,
    RebuildParameter,
    Size,
    Attribute,
    Encode,
    NumpyScalar,
    NumpyDType,
    Storage,

    /// <summary>Of another program's data: what is made of it is passed over.</summary>
    Foreign,
}

internal sealed class PickleGlobal(PickleName name, ElementType type = default) : PickleValue
{
    public PickleName Name => name;

    /// <summary>Of a storage.</summary>
    public ElementType Type => type;

    /// <summary>Of a foreign one: module and name.</summary>
    public string Text { get; init; } = "";

    public override string Kind => "name";
}

/// <summary>
/// An object of another program: nothing is known of it but the name of its class, and whatever it is made of is passed over.
/// </summary>
internal sealed class PickleObject(string type) : PickleValue
{
    public string Type => type;

    public override string Kind => "object";
}

/// <summary>None, a number, a flag or a text, all as text in invariant notation, or bytes.</summary>
internal sealed class PickleScalar(string kind, string text) : PickleValue
{
    public const string None = "None", Flag = "flag", Integer = "integer", Float = "float", Text = "text", Bytes = "bytes";

    public override string Kind => kind;

    /// <summary>Of bytes: one character for each.</summary>
    public string Value => text;
}

/// <summary>A tuple, or a list, which may still grow.</summary>
internal sealed class PickleSequence(bool isTuple, List<PickleValue> items) : PickleValue
{
    public bool IsTuple => isTuple;

    public List<PickleValue> Items => items;

    public override string Kind => isTuple ? "tuple" : "list";
}

/// <summary>A dict, an OrderedDict or an argparse.Namespace: keys are texts or integers.</summary>
internal sealed class PickleMap(PickleName? name = null) : PickleValue
{
    /// <summary>Null for a plain dict.</summary>
    public PickleName? Name => name;

    public OrderedDictionary<string, PickleValue> Entries { get; } = [];

    public override string Kind => name?.ToString() ?? "dict";
}

/// <summary>A numpy type of numbers, by its letter and size.</summary>
internal sealed class PickleDType(string code) : PickleValue
{
    /// <summary>Unknown where the bytes are the other way round.</summary>
    public string Code { get; set; } = code;

    public override string Kind => "dtype";
}

/// <summary>Memory that tensors lie in: so many elements under a key.</summary>
internal sealed class PickleStorage(string key, ElementType type, long count) : PickleValue
{
    public string Key => key;

    public ElementType Type => type;

    public long Count => count;

    public override string Kind => "storage";
}

/// <summary>A view of a storage that was checked against it.</summary>
internal sealed class PickleTensor(PickleStorage storage, long offset, long[] shape, long[] strides) : PickleValue
{
    public PickleStorage Storage => storage;

    public long Offset => offset;

    public long[] Shape => shape;

    public long[] Strides => strides;

    public override string Kind => "tensor";
}
