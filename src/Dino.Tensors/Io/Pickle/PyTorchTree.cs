using System.Globalization;

namespace Dino.Tensors.Io.Pickle;

/// <summary>
/// The tensors and plain values of what a pickle describes, each under the keys that lead to it. One value may be named in many places, so
/// that the walk is paid for as well, and values in themselves end at a depth.
/// </summary>
internal sealed class PyTorchTree(FileBytes file, IReadOnlyDictionary<string, long> starts, PickleBudget budget)
{
    private const int MaxDepth = 64;

    // Views can name the same memory many times; what they hold together stays near the length of the file.
    private const long MaxRepeated = 32 << 20;

    private readonly Dictionary<string, StoredTensor> tensors = [];
    private readonly Dictionary<string, string> metadata = [];
    private readonly List<string> path = [];
    private Int128 total;
    private string? firstObject;

    public IEnumerable<StoredTensor> Tensors => tensors.Values;

    public IReadOnlyDictionary<string, string> Metadata => metadata;

    public PyTorchTree Of(PickleValue root)
    {
        Walk(root);
        if (tensors.Count == 0 && firstObject is { } type)
            throw new InvalidDataException($"{file.Path}: an object of the class {StoredTensor.Quote(type)} was saved whole, and only "
                + $"its program can read it. "
                + "Save its tensors instead: torch.save(model.state_dict(), \"weights.pth\").");
        return this;
    }

    private void Walk(PickleValue value)
    {
        budget.Spend(32);
        switch (value)
        {
            case PickleTensor tensor:
                Add(tensor);
                break;
            case PickleScalar scalar:
                string name = Name();
                if (scalar.Kind != PickleScalar.Bytes && !metadata.TryAdd(name, scalar.Value))
                    throw Twice(name);
                break;
            case PickleMap map:
                foreach (var (key, entry) in map.Entries)
                    Step(key, entry);
                break;
            case PickleSequence sequence:
                for (int i = 0; i < sequence.Items.Count; i++)
                    Step(i.ToString(CultureInfo.InvariantCulture), sequence.Items[i]);
                break;
            case PickleObject unknown:
                firstObject ??= unknown.Type;
                PassOver($"an object of {unknown.Type}");
                break;
            case PickleGlobal
            {
                Name: PickleName.Foreign or PickleName.OrderedDict or PickleName.DefaultDict or PickleName.Namespace or PickleName.Size
                    or PickleName.NumpyDType
            } type:
                PassOver($"the name {(type.Name == PickleName.Foreign ? type.Text : type.Name.ToString())}");
                break;
            case PickleDType number:
                PassOver($"numpy's {number.Code}");
                break;
            default:
                throw new InvalidDataException($"{file.Path}: its pickle describes a {value.Kind} where data was expected.");
        }
    }

    private void PassOver(string what)
    {
        string name = Name();
        if (!metadata.TryAdd(name, $"({what}, not read)"))
            throw Twice(name);
    }

    private void Step(string key, PickleValue value)
    {
        if (path.Count == MaxDepth)
            throw new InvalidDataException($"{file.Path}: its values are nested more than {MaxDepth} deep, or in themselves.");
        path.Add(key);
        Walk(value);
        path.RemoveAt(path.Count - 1);
    }

    private void Add(PickleTensor tensor)
    {
        string name = Name();
        int size = tensor.Storage.Type.Size();
        var stored = new StoredTensor(name, tensor.Storage.Type, tensor.Shape, starts[tensor.Storage.Key] + tensor.Offset * size,
            IsRowMajor(tensor) ? null : tensor.Strides);
        total += stored.ByteLength;
        if (total > file.Length + MaxRepeated)
            throw new InvalidDataException($"{file.Path}: its tensors name the same memory over and over, {total} bytes and more in a "
                + $"file of {file.Length}.");
        if (!tensors.TryAdd(name, stored))
            throw Twice(name);
    }

    private string Name()
    {
        budget.Spend(128 + 2L * path.Sum(key => (long)key.Length + 1));
        return path.Count == 0 ? "tensor" : string.Join('.', path);
    }

    private static bool IsRowMajor(PickleTensor tensor)
    {
        long step = 1;
        for (int i = tensor.Shape.Length - 1; i >= 0; i--)
        {
            if (tensor.Shape[i] == 0)
                return true;
            if (tensor.Shape[i] != 1 && tensor.Strides[i] != step)
                return false;
            step *= tensor.Shape[i];
        }
        return true;
    }

    private InvalidDataException Twice(string name) => new($"{file.Path}: two values have the name {StoredTensor.Quote(name)}.");
}
