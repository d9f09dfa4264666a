namespace Dino.Train.Data;

/// <summary>What an <see cref="EvalLoader"/> loads.</summary>
public sealed record EvalLoaderOptions
{
    /// <summary>The shorter side after the resize, in pixels.</summary>
    public int ResizeSize { get; init; } = 256;

    /// <summary>Side of the central square, in pixels.</summary>
    public int CropSize { get; init; } = 224;

    /// <summary>Pictures in a batch.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>How far and with how many threads to work ahead.</summary>
    public PrefetchOptions Prefetch { get; init; } = new();

    internal void Validate()
    {
        Prefetch.Validate();
        if (BatchSize < 1)
            throw new ArgumentException($"The batch size is {BatchSize}: it must be 1 or more.");
        if (CropSize < 1 || CropSize > ResizeSize)
            throw new ArgumentException($"The central square of {CropSize} pixels must be 1 … {ResizeSize}, the size of the shorter side.");
    }
}

/// <summary>Pictures for evaluation. Dispose of it after use: its memory then serves a later batch.</summary>
public sealed class EvalBatch : IDisposable
{
    private readonly EvalLoader loader;
    private readonly float[] pictures;
    private readonly int[] samples, labels;

    internal EvalBatch(EvalLoader loader, EvalLoaderOptions options)
    {
        this.loader = loader;
        pictures = options.Prefetch.Allocate(options.BatchSize, options.CropSize, "pictures");
        (samples, labels) = (new int[options.BatchSize], new int[options.BatchSize]);
        (Readable, PictureLength) = (new bool[options.BatchSize], 3 * options.CropSize * options.CropSize);
    }

    /// <summary>Number of pictures, B: the batch size, fewer after unreadable files and at the end.</summary>
    public int Count { get; private set; }

    /// <summary>The pictures, (B, 3, S, S), normalised.</summary>
    public ReadOnlySpan<float> Pictures => pictures.AsSpan(0, Count * PictureLength);

    /// <summary>Their numbers in the folder, ascending; <see cref="ImageFolder.PathOf"/> gives the paths.</summary>
    public ReadOnlySpan<int> Samples => samples.AsSpan(0, Count);

    /// <summary>Their classes, or <see cref="ImageFolder.NoLabel"/>.</summary>
    public ReadOnlySpan<int> Labels => labels.AsSpan(0, Count);

    internal bool[] Readable { get; }

    internal int PictureLength { get; }

    internal int FirstSample { get; set; }

    internal int Wanted { get; set; }

    internal Span<float> Picture(int index) => pictures.AsSpan(index * PictureLength, PictureLength);

    /// <summary>Closes the gaps of unreadable files.</summary>
    internal void Compact(ImageFolder folder)
    {
        Count = 0;
        for (int i = 0; i < Wanted; i++)
        {
            if (!Readable[i])
                continue;
            if (Count < i)
                Picture(i).CopyTo(Picture(Count));
            (samples[Count], labels[Count]) = (FirstSample + i, folder.LabelOf(FirstSample + i));
            Count++;
        }
    }

    /// <summary>Gives the memory back to the loader; the values may change from now on.</summary>
    public void Dispose() => loader.Release(this);
}

/// <summary>
/// Every readable picture of a folder once, in order, as evaluation wants it: shorter side resized (bicubic, antialiased), central
/// square, normalised. Decoded by worker threads; unreadable files are reported and left out.
/// </summary>
public sealed class EvalLoader : IDisposable
{
    private readonly ImageFolder folder;
    private readonly OrderedPrefetch<EvalBatch, EvalWorker> prefetch;
    private bool any;

    /// <summary>Starts the workers.</summary>
    /// <exception cref="ArgumentException">An option that cannot be; the message names it.</exception>
    public EvalLoader(ImageFolder folder, EvalLoaderOptions options, SkippedFiles? skipped = null)
    {
        options.Validate();
        this.folder = folder;
        var batches = new EvalBatch[options.Prefetch.Batches];
        for (int i = 0; i < batches.Length; i++)
            batches[i] = new EvalBatch(this, options);
        prefetch = new OrderedPrefetch<EvalBatch, EvalWorker>(
            new Work(folder, options, skipped ?? new SkippedFiles()), batches, options.Prefetch.WorkersOrDefault, "pictures");
    }

    /// <summary>The next batch, or null after the last; waits until it is made.</summary>
    /// <exception cref="ImageFolderException">No file of the folder was readable.</exception>
    public EvalBatch? Next()
    {
        while (prefetch.Next() is { } batch)
        {
            batch.Compact(folder);
            if (batch.Count > 0)
            {
                any = true;
                return batch;
            }
            batch.Dispose();
        }
        return any
            ? null
            : throw new ImageFolderException(
                $"The folder '{folder.Root}' holds no readable picture: all {folder.Count} files were skipped.");
    }

    /// <summary>Stops the workers and waits for them.</summary>
    public void Dispose() => prefetch.Dispose();

    internal void Release(EvalBatch batch) => prefetch.Release(batch);

    private sealed class Work(ImageFolder folder, EvalLoaderOptions options, SkippedFiles skipped) : IPrefetchWork<EvalBatch, EvalWorker>
    {
        private readonly PictureSource pictures = new(folder, skipped, cacheBytes: 0, options.Prefetch.MaxPixels);
        private int next;

        public EvalWorker CreateWorker() => new(pictures.OpenReader());

        public int Begin(EvalBatch batch)
        {
            (batch.FirstSample, batch.Wanted) = (next, Math.Min(options.BatchSize, folder.Count - next));
            next += batch.Wanted;
            return batch.Wanted;
        }

        public void Fill(EvalBatch batch, int sample, EvalWorker worker)
        {
            RgbImage? picture = worker.Reader.TryRead(batch.FirstSample + sample);
            batch.Readable[sample] = picture is not null;
            if (picture is null)
                return;
            worker.Resample.ResizeAndCentreCrop(picture, worker.Square, options.ResizeSize, options.CropSize);
            Normalize.ImageNet.Apply(worker.Square, batch.Picture(sample));
        }
    }

    private sealed class EvalWorker(PictureSource.Reader reader) : IDisposable
    {
        public PictureSource.Reader Reader { get; } = reader;

        public Resample Resample { get; } = new();

        public RgbImage Square { get; } = new();

        public void Dispose() => Reader.Dispose();
    }
}
