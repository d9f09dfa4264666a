namespace Dino.Pictures.Loading;

/// <summary>A batch whose memory a device may still be reading.</summary>
internal interface IUploadedBatch : IDisposable
{
    /// <summary>Whether the device may still read it.</summary>
    bool IsUploading { get; }

    /// <summary>Waits until the device has read it.</summary>
    void WaitForUpload();
}

/// <summary>
/// The batches that are on their way to a device, first those that were sent first. One goes back to its loader once the device has read
/// it, so that
/// nobody waits for the device, unless it is a whole ring behind.
/// </summary>
/// <param name="batches">Batches that the loader has. It keeps two of them: one to hand out, one to fill.</param>
internal sealed class UploadQueue<TBatch>(int batches) where TBatch : class, IUploadedBatch
{
    private readonly Queue<TBatch> sent = new(batches);
    private readonly int most = Math.Max(0, batches - 2);

    /// <summary>
    /// Gives back what the device has read, and waits where too much is on its way: to call before the next batch is asked for.
    /// </summary>
    public void MakeRoom()
    {
        while (sent.TryPeek(out var batch) && (sent.Count > most || !batch.IsUploading))
        {
            batch.WaitForUpload();
            sent.Dequeue().Dispose();
        }
    }

    /// <summary>Takes in a batch whose upload was started.</summary>
    public void Add(TBatch batch) => sent.Enqueue(batch);
}
