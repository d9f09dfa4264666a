using Dino.Tensors.Kernels;

namespace Dino.Tensors.Pictures;

/// <summary>
/// Makes crops of pictures on an accelerator: resize, flip, colour jitter, grey, blur, solarisation and normalisation, to the bit what
/// Pillow makes of 8-bit pictures. Many crops go through in four launches and two uploads, whatever is done to each.
/// </summary>
/// <remarks>Its buffers grow to the largest block that they have met, and then stay.</remarks>
public sealed class PictureCutter : IDisposable
{
    private readonly Device device;
    private readonly Tensor levels, tables;
    private readonly Buffer blocks, indices, columnsDone, pixels;
    private int[] entries = [];

    /// <summary>A cutter for a device that is not the host.</summary>
    /// <param name="device">An accelerator.</param>
    /// <param name="levels">The float of each of 256 values of a byte, for R, G and B: 3 · 256.</param>
    /// <param name="saturation">What <see cref="HueTables.Make"/> asks for.</param>
    /// <param name="hue">The same.</param>
    /// <exception cref="ArgumentException">The device is the host, or a table has another length.</exception>
    public PictureCutter(Device device, ReadOnlySpan<float> levels, ReadOnlySpan<byte> saturation, ReadOnlySpan<byte> hue)
    {
        if (device.IsHost)
            throw new ArgumentException($"Pictures are cut on accelerators; {device.Name} has the host's own pipeline.");
        if (levels.Length != 3 * 256 || saturation.Length != 1 << 16 || hue.Length != 6 << 16)
            throw new ArgumentException($"Tables of {levels.Length}, {saturation.Length} and {hue.Length} values, not of 768, 65536 and 393216.");
        this.device = device;
        this.levels = device.RentUnowned(new Shape(levels.Length));
        this.levels.CopyFrom(levels);
        tables = device.RentUnowned(new Shape(HueTables.Words), DType.Int32);
        tables.CopyFromInts(HueTables.Make(saturation, hue));
        (blocks, indices, columnsDone, pixels) = (new Buffer(device), new Buffer(device), new Buffer(device), new Buffer(device));
    }

    /// <summary>Writes the crops of a block into a tensor. Returns when the block has been read; the work may still go on.</summary>
    /// <param name="block">Pictures and tasks; see <see cref="CropTask"/>.</param>
    /// <param name="crops">What to make of it.</param>
    /// <param name="target">Receives each crop as (3, S, S), from its <see cref="CropEntry.Output"/> on.</param>
    /// <exception cref="ArgumentException">A crop has no place in the tensor, which must be on this device, or its task none in the block.</exception>
    public void Cut(ReadOnlySpan<int> block, ReadOnlySpan<CropEntry> crops, Tensor target)
    {
        if (crops.IsEmpty)
            return;
        device.ThrowIfDisposed();
        device.Claim.Enter();
        try
        {
            CutAll(block, crops, target);
        }
        finally
        {
            device.Claim.Leave();
        }
    }

    private void CutAll(ReadOnlySpan<int> block, ReadOnlySpan<CropEntry> crops, Tensor target)
    {
        if (entries.Length < crops.Length * CropIndex.Words)
            entries = new int[crops.Length * CropIndex.Words];
        int doneLength = 0, pixelsLength = 0, columnGroups = 0, rowGroups = 0, tiles = 0, group = device.GroupSize;
        for (int i = 0; i < crops.Length; i++)
        {
            var crop = crops[i];
            Check(crop, block, target);
            var entry = entries.AsSpan(i * CropIndex.Words, CropIndex.Words);
            entry[CropIndex.TaskAt] = crop.Task;
            entry[CropIndex.ColumnsDoneAt] = doneLength;
            entry[CropIndex.PixelsAt] = pixelsLength;
            entry[CropIndex.OutputAt] = crop.Output;
            entry[CropIndex.FirstColumnGroupAt] = columnGroups;
            entry[CropIndex.FirstRowGroupAt] = rowGroups;
            entry[CropIndex.FirstTileAt] = tiles;
            int done = checked(crop.Rows * crop.Size), all = crop.Size * crop.Size;
            doneLength = checked(doneLength + done);
            pixelsLength = checked(pixelsLength + all);
            columnGroups += (done + group - 1) / group;
            rowGroups += (all + group - 1) / group;
            tiles += FinishKernel.TilesOf(crop.Size);
        }
        target.NoteWrite();
        using var scope = device.BeginScope();
        using var source = blocks.Take(block.Length);
        using var index = indices.Take(crops.Length * CropIndex.Words);
        using var columns = columnsDone.Take(doneLength);
        using var cut = pixels.Take(pixelsLength);
        source.CopyFromInts(block);
        index.CopyFromInts(entries.AsSpan(0, index.Count));
        ResizeKernels.RunColumns(device, columnGroups, source, index, columns, crops.Length);
        ResizeKernels.RunRows(device, rowGroups, source, index, columns, cut, crops.Length);
        ColourKernel.Run(device, crops.Length, source, index, tables, cut);
        FinishKernel.Run(device, tiles, source, index, cut, levels, target, crops.Length);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        levels.Dispose();
        tables.Dispose();
        blocks.Dispose();
        indices.Dispose();
        columnsDone.Dispose();
        pixels.Dispose();
    }

    private void Check(CropEntry crop, ReadOnlySpan<int> block, Tensor target)
    {
        if (crop.Size < 1 || crop.Output < 0 || crop.Output + 3L * crop.Size * crop.Size > target.Count)
            throw new ArgumentException($"{crop} has no place in {target}.");
        Operands.With(levels, target, nameof(Cut));
        if (crop.Rows < 1 || crop.Task < 0 || crop.Task > block.Length - CropTask.Words
            || !CropTask.Fits(block.Slice(crop.Task, CropTask.Words), crop, block.Length))
            throw new ArgumentException($"The task of {crop} is not one of a block of {block.Length} words, or points out of it.");
    }

    /// <summary>Memory that only grows.</summary>
    private sealed class Buffer(Device device) : IDisposable
    {
        private Tensor? memory;

        /// <summary>So many words; valid until the next call.</summary>
        public Tensor Take(int words)
        {
            if (memory is null || memory.Count < words)
            {
                memory?.Dispose();
                memory = device.RentUnowned(new Shape(words + words / 8), DType.Int32);
            }
            return memory.Alias(new Shape(words));
        }

        public void Dispose() => memory?.Dispose();
    }
}
