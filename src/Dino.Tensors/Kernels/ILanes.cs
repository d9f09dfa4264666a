using Dino.Tensors.Kernels.Simt;

namespace Dino.Tensors.Kernels;

/// <summary>The threads that share one row of work: a part of a group on an accelerator, a single core on the host.</summary>
public interface ILanes
{
    /// <summary>This thread's place among those of its row.</summary>
    int Id { get; }

    /// <summary>How many share the row: this one takes the numbers Id · Width, (Id + Count) · Width, …</summary>
    int Count { get; }

    /// <summary>The sum over all lanes, in an order that depends on <see cref="Count"/> alone. Every lane must call it.</summary>
    float Sum(float value);

    /// <summary>The largest over all lanes. Every lane must call it.</summary>
    float Max(float value);

    /// <summary>The sum over the lanes before this one: where this lane's share of a list begins. Every lane must call it.</summary>
    float SumBefore(float value);
}

/// <summary>The host: one core does the whole row.</summary>
internal readonly struct OneLane : ILanes
{
    public int Id => 0;

    public int Count => 1;

    public float Sum(float value) => value;

    public float Max(float value) => value;

    public float SumBefore(float value) => 0;
}

/// <summary>A power of two of the threads of a group, reducing through shared memory.</summary>
internal readonly struct GroupLanes(SharedBlock<float> shared, int thread, int count) : ILanes
{
    private readonly SharedBlock<float> shared = shared;
    private readonly int thread = thread, count = count;

    public int Id => thread & (count - 1);

    public int Count => count;

    public float Sum(float value)
    {
        SharedBlock<float> shared = this.shared;
        shared[thread] = value;
        SharedCheck.Barrier();
        for (int half = count >> 1; half > 0; half >>= 1)
        {
            if (Id < half)
                shared[thread] += shared[thread + half];
            SharedCheck.Barrier();
        }
        float sum = shared[thread - Id];
        SharedCheck.Barrier(); // the next reduction writes where this one is still being read
        return sum;
    }

    public float Max(float value)
    {
        SharedBlock<float> shared = this.shared;
        shared[thread] = value;
        SharedCheck.Barrier();
        for (int half = count >> 1; half > 0; half >>= 1)
        {
            if (Id < half)
                shared[thread] = MathF.Max(shared[thread], shared[thread + half]);
            SharedCheck.Barrier();
        }
        float max = shared[thread - Id];
        SharedCheck.Barrier();
        return max;
    }

    public float SumBefore(float value)
    {
        SharedBlock<float> shared = this.shared;
        float sum = value;
        for (int distance = 1; distance < count; distance <<= 1)
        {
            shared[thread] = sum;
            SharedCheck.Barrier();
            if (Id >= distance)
                sum += shared[thread - distance];
            SharedCheck.Barrier();
        }
        return sum - value;
    }
}
