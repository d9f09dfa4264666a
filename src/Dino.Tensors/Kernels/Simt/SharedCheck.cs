using ILGPU;
using ILGPU.IR.Intrinsics;

namespace Dino.Tensors.Kernels.Simt;

/// <summary>
/// Finds, on simulated threads, what a missing barrier leaves open: two threads of a group that use one place of shared memory between the
/// same two barriers, one of them to write. Whether the clock made it go wrong does not matter, so one run finds it.
/// </summary>
internal static class SharedCheck
{
    private const int Nobody = -1, Several = -2;

    private static readonly Lock gate = new();
    private static Place[][] places = [];

    [ThreadStatic]
    private static Moment now;

    /// <summary>Waits for the threads of the group; what they wrote before, all may read after.</summary>
    public static void Barrier()
    {
        if (PassBarrier(0))
            Group.Barrier();
    }

    [IntrinsicImplementation]
    public static bool MayRead(int i, int length, int block) => IsInside(i, length) && Use(i, length, block, writes: false);

    [IntrinsicImplementation]
    public static bool MayWrite(int i, int length, int block) => IsInside(i, length) && Use(i, length, block, writes: true);

    [IntrinsicImplementation]
    public static bool PassBarrier(int unused)
    {
        var before = At();
        now = before with { Barriers = before.Barriers + 1 };
        return true;
    }

    // What these are on GPUs: one for each, as ILGPU looks them up by what they stand for.
    public static bool AlwaysRead(int i, int length, int block) => true;

    public static bool AlwaysWrite(int i, int length, int block) => true;

    public static bool AlwaysPass(int unused) => true;

    private static bool IsInside(int i, int length)
    {
        if ((uint)i < (uint)length)
            return true;
        CheckedView.Report(KernelIndexException.OfSharedMemory(CheckedView.RunningName, i, length, Grid.IdxX, Group.IdxX));
        return false;
    }

    private static bool Use(int i, int length, int block, bool writes)
    {
        var moment = now = At();
        int thread = Group.IdxX;
        lock (gate)
        {
            ref var place = ref PlaceOf(i, length, block);
            if (place.Moment != moment)
                place = new Place(moment, Nobody, Nobody);
            bool afterWrite = place.Writer != Nobody && place.Writer != thread;
            bool afterRead = writes && place.Reader != Nobody && place.Reader != thread;
            if (afterWrite || afterRead)
            {
                int other = afterWrite ? place.Writer : place.Reader;
                CheckedView.Report(new KernelRaceException(
                    CheckedView.RunningName, i, Grid.IdxX, thread, writes, other == Several ? null : other, afterWrite));
            }
            if (writes)
                place.Writer = thread;
            else if (place.Reader != thread)
                place.Reader = place.Reader == Nobody ? thread : Several;
        }
        return true; // the kernel goes on as it would have
    }

    /// <summary>The present launch, group and number of barriers passed in it.</summary>
    private static Moment At()
    {
        var (launch, group) = (CheckedView.Launch, Grid.LinearIndex);
        return now.Launch == launch && now.Group == group ? now : new Moment(launch, group, 0);
    }

    private static ref Place PlaceOf(int i, int length, int block)
    {
        if (block >= places.Length)
            Array.Resize(ref places, block + 1);
        if (places[block] is null || places[block].Length < length)
            Array.Resize(ref places[block], length);
        return ref places[block][i];
    }

    private readonly record struct Moment(long Launch, int Group, int Barriers);

    private record struct Place(Moment Moment, int Writer, int Reader);
}
