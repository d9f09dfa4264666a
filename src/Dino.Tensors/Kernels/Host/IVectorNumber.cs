namespace Dino.Tensors.Kernels.Host;

/// <summary>A number of a host core: a vector of floats, read and written as a whole.</summary>
internal unsafe interface IVectorNumber<T> : IReal<T> where T : struct, IVectorNumber<T>
{
    /// <summary>The floats at <paramref name="source"/>, which need not be aligned.</summary>
    static abstract T Load(float* source);

    /// <summary>Stores to any place.</summary>
    static abstract void Store(T value, float* target);

    /// <summary>Stores to a multiple of the vector's size without a place in the caches.</summary>
    static abstract void StorePastCaches(T value, float* target);
}
