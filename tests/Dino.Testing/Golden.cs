using System.Collections.Concurrent;
using System.Numerics;
using System.Text.Json;
using Dino.Tensors.Io;
using NUnit.Framework;

namespace Dino.Testing;

/// <summary>What golden.json says of one tensor.</summary>
/// <param name="Name">The name in the set's file.</param>
/// <param name="Role">"given": to be fed in. "expected": to be compared with.</param>
/// <param name="Type">The element type in numpy's words: float32, float64, int64, uint8.</param>
/// <param name="Shape">The extents, outermost first.</param>
/// <param name="Tolerance">For expected tensors; zero where the file states none.</param>
/// <param name="IgnoreRows">Rows (of the first dimension) that are noise by nature and are not compared.</param>
/// <param name="MaxMismatchFraction">The share of values that may be out of tolerance.</param>
/// <param name="Json">The whole entry, for what only some sets state.</param>
public sealed record GoldenTensor(
    string Name, string Role, string Type, int[] Shape, Tolerance Tolerance, Range? IgnoreRows, double MaxMismatchFraction,
    JsonElement Json)
{
    /// <summary>Whether the tensor is an input.</summary>
    public bool IsGiven => Role == "given";

    /// <summary>The number of values.</summary>
    public int Count => Shape.Aggregate(1, (product, extent) => checked(product * extent));
}

/// <summary>
/// One set of reference inputs and outputs: its configuration and tensors, from the folder that the environment variable
/// <c>DINO_GOLDEN</c> names, otherwise from the copies beside the test assembly (tests/fixtures).
/// </summary>
/// <remarks>Other folders hold other sizes, names and flags: read them from <see cref="Config"/>, never write them into a test.</remarks>
public sealed class GoldenSet
{
    private static readonly ConcurrentDictionary<string, GoldenSet> Opened = new();
    internal static readonly Lazy<JsonDocument> Index = new(() => JsonDocument.Parse(File.ReadAllBytes(PathOf("golden.json"))));

    private readonly SafetensorsFile file;

    private GoldenSet(string name)
    {
        if (!Index.Value.RootElement.GetProperty("sets").TryGetProperty(name, out var set))
            throw new InvalidOperationException($"{PathOf("golden.json")} has no set '{name}'.");
        Name = name;
        Config = set.GetProperty("config");
        file = SafetensorsFile.Read(PathOf(set.GetProperty("file").GetString()!));
        Tensors = set.GetProperty("tensors").EnumerateObject().Select(Describe).ToDictionary(tensor => tensor.Name);
        foreach (var tensor in Tensors.Values)
            if (!file.Shape(tensor.Name).SequenceEqual(tensor.Shape.Select(extent => (long)extent)))
                throw new InvalidOperationException($"{name}/{tensor.Name}: golden.json and the set's file state different shapes.");
    }

    /// <summary>Where golden.json and the sets lie.</summary>
    public static string Folder { get; } = Environment.GetEnvironmentVariable("DINO_GOLDEN") is { Length: > 0 } folder
        ? Path.GetFullPath(folder)
        : Path.Combine(AppContext.BaseDirectory, "fixtures");

    /// <summary>The set's name.</summary>
    public string Name { get; }

    /// <summary>Sizes, flags and numbers of the set.</summary>
    public JsonElement Config { get; }

    /// <summary>Every tensor of the set by its name.</summary>
    public IReadOnlyDictionary<string, GoldenTensor> Tensors { get; }

    /// <summary>The set of this name. A set or file that is missing is an error: tests with no truth must not pass.</summary>
    public static GoldenSet Open(string name) => Opened.GetOrAdd(name, static key => new GoldenSet(key));

    /// <summary>Whether the set has this tensor.</summary>
    public bool Contains(string name) => Tensors.ContainsKey(name);

    /// <summary>What is known of a tensor.</summary>
    public GoldenTensor this[string name] => Tensors.TryGetValue(name, out var tensor)
        ? tensor
        : throw new InvalidOperationException($"The golden set '{Name}' has no tensor '{name}'.");

    /// <summary>The values of a float32 tensor.</summary>
    public float[] Floats(string name) => file.Floats(this[name].Name);

    /// <summary>The values of a float32 or float64 tensor.</summary>
    public double[] Doubles(string name) => file.Doubles(this[name].Name);

    /// <summary>The values of an int64 or uint8 tensor.</summary>
    public long[] Longs(string name) => file.Longs(this[name].Name);

    /// <summary>The values of a uint8 tensor.</summary>
    public byte[] Bytes(string name) => file.Bytes(this[name].Name);

    /// <summary>
    /// Fails the test unless the values agree with the set's as golden.json demands: |a − e| ≤ scale · (atol + rtol · |e|), without
    /// the rows to ignore, for all but the share that may be out. <paramref name="scale"/> is 10 for GPUs with approximate functions.
    /// </summary>
    public void Check<T>(string name, ReadOnlySpan<T> actual, double scale = 1) where T : struct, INumber<T>
    {
        if (Mismatch(name, actual, scale) is { } message)
            Assert.Fail(message);
    }

    /// <summary>A single number, for expected tensors of one value.</summary>
    public void Check(string name, double actual, double scale = 1) => Check(name, [actual], scale);

    /// <summary>What <see cref="Check{T}"/> would fail with, or null.</summary>
    internal string? Mismatch<T>(string name, ReadOnlySpan<T> actual, double scale = 1) where T : struct, INumber<T>
    {
        var tensor = this[name];
        if (tensor.IsGiven)
            throw new InvalidOperationException($"{Name}/{name} is an input; only expected tensors are compared.");
        double[] expected = tensor.Type.StartsWith("float", StringComparison.Ordinal)
            ? Doubles(name)
            : Array.ConvertAll(Longs(name), x => (double)x);
        double[] values = new double[actual.Length];
        for (int i = 0; i < values.Length; i++)
            values[i] = double.CreateChecked(actual[i]);
        var tolerance = new Tolerance(scale * tensor.Tolerance.Absolute, scale * tensor.Tolerance.Relative);
        return tolerance.Differences<double>(values, expected, $"{Name}/{name}", IgnoredValues(tensor), tensor.MaxMismatchFraction);
    }

    private static Range? IgnoredValues(GoldenTensor tensor)
    {
        if (tensor.IgnoreRows is not { } rows)
            return null;
        int row = tensor.Shape[0] == 0 ? 0 : tensor.Count / tensor.Shape[0];
        return (rows.Start.Value * row)..(rows.End.Value * row);
    }

    /// <summary>The path of a file of the folder.</summary>
    /// <exception cref="FileNotFoundException">It is missing.</exception>
    public static string PathOf(string name)
    {
        string path = Path.Combine(Folder, name);
        return File.Exists(path)
            ? path
            : throw new FileNotFoundException($"The golden file '{path}' is missing; DINO_GOLDEN, if set, must name a folder with it.");
    }

    private static GoldenTensor Describe(JsonProperty entry)
    {
        var json = entry.Value;
        double Number(string key) => json.TryGetProperty(key, out var value) ? value.GetDouble() : 0;
        Range? rows = json.TryGetProperty("ignore_rows", out var ignored) ? ignored[0].GetInt32()..ignored[1].GetInt32() : null;
        return new GoldenTensor(
            entry.Name, json.GetProperty("role").GetString()!, json.GetProperty("dtype").GetString()!,
            [.. json.GetProperty("shape").EnumerateArray().Select(extent => extent.GetInt32())],
            new Tolerance(Number("atol"), Number("rtol")), rows, Number("max_mismatch_fraction"), json);
    }
}
