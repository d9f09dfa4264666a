using Dino.Tensors.Kernels;
using Dino.Tensors.Nn;

namespace Dino.Tensors.Optim;

/// <summary>
/// The trained parameters of a flat buffer, cut into chunks: the rows of work that one launch covers, however many parameters there
/// are. The cuts follow from the shapes alone, so sums over them do not depend on the device's parallelism.
/// </summary>
/// <remarks>Chunks reach over the gaps between parameters, which are 0 and stay so: every chunk is whole vectors.</remarks>
public sealed class ChunkTable : IDisposable
{
    /// <summary>
    /// The most elements of a chunk: five operands fit a core's second-level cache many times; a GPU has thousands of groups to fill.
    /// </summary>
    public const int ChunkLength = 4096;

    private readonly ParameterGroup[] holdable;

    /// <summary>Cuts the parameters that are not frozen.</summary>
    /// <param name="target">The parameters.</param>
    /// <param name="groups">Some or all of them, apart.</param>
    internal ChunkTable(FlatParameters target, IReadOnlyList<ParameterGroup>? groups)
    {
        var groupOf = Assign(target, groups ?? [], out var all);
        Groups = all;
        holdable = [.. all.Where(group => group.Holdable)];
        if (holdable.Length > Optimizer.MaxHoldable)
            throw new ArgumentException(
                $"An optimizer can hold {Optimizer.MaxHoldable} groups at most, not {holdable.Length}.", nameof(groups));
        var trained = new List<Parameter>();
        List<int> chunks = [], ranges = [];
        for (int i = 0; i < target.Parameters.Count; i++)
        {
            var parameter = target.Parameters[i];
            if (parameter.Frozen)
                continue;
            var group = groupOf[parameter];
            int start = target.Segments[i].Start, row = chunks.Count / ParameterChunk.Columns;
            int end = start + (parameter.Shape.Count + FlatParameters.Alignment - 1) / FlatParameters.Alignment * FlatParameters.Alignment;
            ranges.Add(row);
            for (int at = start; at < end; at += ChunkLength)
                ParameterChunk.Write(chunks, at, Math.Min(end, at + ChunkLength), trained.Count, SlotOf(group), group, parameter);
            ranges.Add(chunks.Count / ParameterChunk.Columns);
            trained.Add(parameter);
        }
        Parameters = trained;
        ChunkCount = chunks.Count / ParameterChunk.Columns;
        Chunks = Lasting(target.Device, [.. chunks], new Shape(ChunkCount, ParameterChunk.Columns));
        Ranges = Lasting(target.Device, [.. ranges], new Shape(trained.Count, 2));
    }

    /// <summary>The parameters that are not frozen: P of them.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>The groups: those that were given, and before them the one of all parameters of no group, if there are any.</summary>
    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <summary>How many chunks there are.</summary>
    public int ChunkCount { get; }

    /// <summary>One row a chunk, which <see cref="ParameterChunk.Read{T, TMemory}"/> reads.</summary>
    public Tensor Chunks { get; }

    /// <summary>The first chunk of each parameter and the one after its last: (P, 2) integers.</summary>
    public Tensor Ranges { get; }

    /// <summary>
    /// How many slots there are: 1 for all that is never held, and one for each <see cref="ParameterGroup.Holdable"/> group.
    /// </summary>
    public int Slots => 1 + holdable.Length;

    /// <inheritdoc/>
    public void Dispose()
    {
        Chunks.Dispose();
        Ranges.Dispose();
    }

    /// <summary>The bits of the slots of these groups.</summary>
    internal int Bits(ReadOnlySpan<ParameterGroup> held)
    {
        int bits = 0;
        foreach (var group in held)
        {
            int slot = SlotOf(group);
            if (slot == 0)
                throw new ArgumentException(
                    $"A group that is held is one of the optimizer's own and {nameof(ParameterGroup.Holdable)}; that of "
                    + $"'{(group.Parameters.Count > 0 ? group.Parameters[0].Name : "nothing")}' is not.", nameof(held));
            bits |= 1 << slot;
        }
        return bits;
    }

    private int SlotOf(ParameterGroup group) => Array.IndexOf(holdable, group) + 1;

    private static Dictionary<Parameter, ParameterGroup> Assign(
        FlatParameters target, IReadOnlyList<ParameterGroup> given, out ParameterGroup[] all)
    {
        var known = target.Parameters.ToHashSet();
        var groupOf = new Dictionary<Parameter, ParameterGroup>();
        foreach (var group in given)
            foreach (var parameter in group.Parameters)
            {
                if (!known.Contains(parameter))
                    throw new ArgumentException(
                        $"'{parameter.Name}' of a group is none of the parameters that are to be trained.", nameof(given));
                if (!groupOf.TryAdd(parameter, group))
                    throw new ArgumentException($"'{parameter.Name}' is in two groups.", nameof(given));
            }
        var rest = new ParameterGroup(target.Parameters.Where(parameter => !parameter.Frozen && !groupOf.ContainsKey(parameter)));
        foreach (var parameter in rest.Parameters)
            groupOf.Add(parameter, rest);
        all = rest.Parameters.Count > 0 ? [rest, .. given] : [.. given];
        return groupOf;
    }

    private static Tensor Lasting(Device device, ReadOnlySpan<int> values, Shape shape)
    {
        var table = Tensor.FromInts(device, values, shape);
        return table.Owner?.Disown(table) ?? table;
    }
}

/// <summary>A chunk as a kernel reads it: a run of elements of one parameter, and what its group says.</summary>
public readonly struct ParameterChunk
{
    /// <summary>The numbers of a row of <see cref="ChunkTable.Chunks"/>.</summary>
    public const int Columns = 7;

    private ParameterChunk(int begin, int end, int parameter, int slot, int adapted, float rate, float decay) =>
        (Begin, End, Parameter, Slot, Adapted, Rate, Decay) = (begin, end, parameter, slot, adapted, rate, decay);

    /// <summary>The first element, in the layout of <see cref="FlatParameters.Values"/>.</summary>
    public int Begin { get; }

    /// <summary>The element after the last.</summary>
    public int End { get; }

    /// <summary>The index of its parameter among those that are trained.</summary>
    public int Parameter { get; }

    /// <summary>
    /// 0 where the group is never held; its bit is set in <see cref="StepRates.Held"/> where this step leaves it as it is.
    /// </summary>
    public int Slot { get; }

    /// <summary>1 where a trust ratio scales the step, otherwise 0.</summary>
    public int Adapted { get; }

    /// <summary>What to multiply the learning rate by.</summary>
    public float Rate { get; }

    /// <summary>What to multiply the weight decay by; 0 where it does not act.</summary>
    public float Decay { get; }

    /// <summary>Reads a row of <see cref="ChunkTable.Chunks"/>.</summary>
    public static ParameterChunk Read<T, TMemory>(TMemory chunks, int row)
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        int at = row * Columns;
        return new(
            chunks.Int(at), chunks.Int(at + 1), chunks.Int(at + 2), chunks.Int(at + 3), chunks.Int(at + 4), chunks[at + 5], chunks[at + 6]);
    }

    /// <summary>Whether a step with these <see cref="StepRates.Held"/> leaves the chunk as it is.</summary>
    public bool IsHeld(int held) => (held >> Slot & 1) != 0;

    internal static void Write(List<int> row, int begin, int end, int index, int slot, ParameterGroup group, Parameter parameter) =>
        row.AddRange([
            begin, end, index, slot, group.Adapts(parameter) ? 1 : 0,
            BitConverter.SingleToInt32Bits(group.RateFactorOf), BitConverter.SingleToInt32Bits(group.DecayFactorOf(parameter))]);
}
