using Dino.Tensors.Nn;

namespace Dino.Tensors.Optim;

/// <summary>
/// The trained parameters of a flat buffer, cut into chunks: the rows of work that one launch covers, however many parameters there
/// are. The cuts follow from the shapes alone, so sums over them do not depend on the device's parallelism.
/// </summary>
/// <remarks>Chunks reach over the gaps between parameters, which are 0 and stay so: every chunk is whole vectors.</remarks>
internal sealed class ChunkTable : IDisposable
{
    public const int ChunkLength = 4096; // five operands fit a core's second-level cache many times; a GPU has thousands of groups to fill

    /// <summary>The numbers of a row of <see cref="Chunks"/>: first element, end, parameter, flags.</summary>
    public const int Columns = 4;

    /// <summary>A flag of a chunk: weight decay acts on it.</summary>
    public const int Decayed = 1;

    /// <summary>A flag of a chunk: it belongs to the prototype layer.</summary>
    public const int LastLayer = 2;

    /// <summary>A flag of a chunk: its parameter is no vector.</summary>
    public const int NotVector = 4;

    public ChunkTable(FlatParameters target)
    {
        var trained = new List<Parameter>();
        List<int> chunks = [], ranges = [];
        for (int i = 0; i < target.Parameters.Count; i++)
        {
            var parameter = target.Parameters[i];
            if (parameter.Frozen)
                continue;
            int flags = (parameter.Decayed ? Decayed : 0) | (parameter.Shape.Rank != 1 ? NotVector : 0)
                | (parameter.Name.Contains("last_layer", StringComparison.Ordinal) ? LastLayer : 0);
            int start = target.Segments[i].Start;
            int end = start + (parameter.Shape.Count + FlatParameters.Alignment - 1) / FlatParameters.Alignment * FlatParameters.Alignment;
            ranges.Add(chunks.Count / Columns);
            for (int at = start; at < end; at += ChunkLength)
                chunks.AddRange([at, Math.Min(end, at + ChunkLength), trained.Count, flags]);
            ranges.Add(chunks.Count / Columns);
            trained.Add(parameter);
        }
        Parameters = trained;
        ChunkCount = chunks.Count / Columns;
        Chunks = Lasting(target.Device, [.. chunks], new Shape(ChunkCount, Columns));
        Ranges = Lasting(target.Device, [.. ranges], new Shape(trained.Count, 2));
    }

    /// <summary>The parameters that are not frozen: P of them.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    public int ChunkCount { get; }

    /// <summary>(chunks, <see cref="Columns"/>) integers.</summary>
    public Tensor Chunks { get; }

    /// <summary>The first chunk of each parameter and the one after its last: (P, 2) integers.</summary>
    public Tensor Ranges { get; }

    public void Dispose()
    {
        Chunks.Dispose();
        Ranges.Dispose();
    }

    private static Tensor Lasting(Device device, ReadOnlySpan<int> values, Shape shape)
    {
        var table = Tensor.From(device, values, shape);
        return table.Owner?.Disown(table) ?? table;
    }
}
