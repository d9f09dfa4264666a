using Dino.Tensors;

namespace Dino.Pictures.Cutting;

/// <summary>
/// Makes crops of pictures on an accelerator: resize, flip, colour jitter, grey, blur, solarisation and normalisation, to the bit what
/// Pillow makes of 8-bit pictures. Many crops go through in four launches and an upload, whatever is done to each.
/// </summary>
/// <remarks>
/// It takes memory for the largest block that it has met, so that the device's pool has the same pieces for it each time.
/// </remarks>
internal sealed class PictureCutter : IDisposable
{
    private readonly Device device;
    private readonly Tensor levels, tables;
    private int mostWords, mostColumns, mostPixels;

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
            throw new ArgumentException($"Tables of {levels.Length}, {saturation.Length} and {hue.Length} values, not of 768, 65536 and "
                + $"393216.");
        this.device = device;
        this.levels = Tensor.From(device, levels);
        tables = Tensor.FromInts(device, HueTables.Make(saturation, hue));
    }

    /// <summary>Starts to write the crops of a block into a tensor. The block stays as it is until it has been copied.</summary>
    /// <param name="block">
    /// Pictures and tasks, see <see cref="CropTask"/>; behind them room for <see cref="CropIndex.Words"/> words a crop.
    /// </param>
    /// <param name="words">Words of pictures and tasks.</param>
    /// <param name="crops">What to make of it.</param>
    /// <param name="target">Receives each crop as (3, S, S), from its <see cref="CropEntry.Output"/> on.</param>
    /// <exception cref="ArgumentException">
    /// A crop has no place in the tensor, which must be on this device, or its task none in the block.
    /// </exception>
    public void Cut(UploadBuffer block, int words, ReadOnlySpan<CropEntry> crops, Tensor target)
    {
        if (crops.IsEmpty)
            return;
        var tasks = block.Ints[..words];
        int indexWords = crops.Length * CropIndex.Words, all = checked(words + indexWords);
        var entries = block.Ints.Slice(words, indexWords);
        int columnsLength = 0, pixelsLength = 0, columnGroups = 0, rowGroups = 0, tiles = 0, group = device.GroupSize;
        for (int i = 0; i < crops.Length; i++)
        {
            var crop = crops[i];
            Check(crop, tasks, target);
            var entry = entries.Slice(i * CropIndex.Words, CropIndex.Words);
            entry[CropIndex.TaskAt] = crop.Task;
            entry[CropIndex.ColumnsDoneAt] = columnsLength;
            entry[CropIndex.PixelsAt] = pixelsLength;
            entry[CropIndex.OutputAt] = crop.Output;
            entry[CropIndex.FirstColumnGroupAt] = columnGroups;
            entry[CropIndex.FirstRowGroupAt] = rowGroups;
            entry[CropIndex.FirstTileAt] = tiles;
            int done = checked(crop.Rows * crop.Size), pixelsOf = crop.Size * crop.Size;
            columnsLength = checked(columnsLength + done);
            pixelsLength = checked(pixelsLength + pixelsOf);
            columnGroups += (done + group - 1) / group;
            rowGroups += (pixelsOf + group - 1) / group;
            tiles += FinishKernel.TilesOf(crop.Size);
        }
        target.NoteWrite();
        using var arena = device.BeginArena(reuseTensors: true);
        var uploaded = Take(all, ref mostWords).Alias(new Shape(all));
        Tensor columns = Take(columnsLength, ref mostColumns), pixels = Take(pixelsLength, ref mostPixels);
        block.CopyTo(uploaded);
        Tensor source = uploaded.Alias(new Shape(words)), index = uploaded.Alias(new Shape(indexWords), words);
        ResizeKernels.RunColumns(device, columnGroups, source, index, columns, crops.Length);
        ResizeKernels.RunRows(device, rowGroups, source, index, columns, pixels, crops.Length);
        ColourKernel.Run(device, crops.Length, source, index, tables, pixels);
        FinishKernel.Run(device, tiles, source, index, pixels, levels, target, crops.Length);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        levels.Dispose();
        tables.Dispose();
    }

    private Tensor Take(int words, ref int most)
    {
        if (words > most)
            most = words + words / 8;
        return Tensor.Empty(device, new Shape(most), DType.Int32);
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
}
