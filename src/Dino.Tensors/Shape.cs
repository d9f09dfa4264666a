using System.Diagnostics.CodeAnalysis;

namespace Dino.Tensors;

/// <summary>The sizes of a tensor's dimensions, outermost first: up to four, row-major. <c>new Shape()</c> is a scalar's.</summary>
/// <remarks>The product of all sizes that are not 0 is a number of an int, and so is that of any of them.</remarks>
public readonly struct Shape : IEquatable<Shape>
{
    /// <summary>The most dimensions a shape can have.</summary>
    public const int MaxRank = 4;

    private readonly int d0, d1, d2, d3;

    /// <summary>A vector's shape.</summary>
    public Shape(int d0) : this(1, d0, 1, 1, 1) { }

    /// <summary>A matrix's shape.</summary>
    public Shape(int d0, int d1) : this(2, d0, d1, 1, 1) { }

    /// <summary>A shape of three dimensions.</summary>
    public Shape(int d0, int d1, int d2) : this(3, d0, d1, d2, 1) { }

    /// <summary>A shape of four dimensions.</summary>
    public Shape(int d0, int d1, int d2, int d3) : this(4, d0, d1, d2, d3) { }

    private Shape(int rank, int d0, int d1, int d2, int d3)
    {
        if (rank == 0)
            return; // one scalar's shape, however it came about
        Rank = rank;
        (this.d0, this.d1, this.d2, this.d3) = (d0, d1, d2, d3);
        if ((d0 | d1 | d2 | d3) < 0)
            throw new ArgumentOutOfRangeException(nameof(d0), $"A size is negative in {this}.");
        long first = Math.BigMul(Math.Max(d0, 1), Math.Max(d1, 1)), second = Math.BigMul(Math.Max(d2, 1), Math.Max(d3, 1));
        if (Math.BigMul(first, second, out long count) != 0 || (ulong)count > int.MaxValue)
            throw new TensorSizeException($"A tensor of {this} has more than the {int.MaxValue} elements that are possible.");
    }

    /// <summary>The shape of the given sizes.</summary>
    /// <exception cref="ArgumentException">There are more than four.</exception>
    public static Shape Of(ReadOnlySpan<int> sizes) => sizes.Length switch
    {
        0 => default,
        1 => new(sizes[0]),
        2 => new(sizes[0], sizes[1]),
        3 => new(sizes[0], sizes[1], sizes[2]),
        4 => new(sizes[0], sizes[1], sizes[2], sizes[3]),
        _ => throw new ArgumentException($"A shape has at most {MaxRank} dimensions, not {sizes.Length}."),
    };

    /// <summary>The number of dimensions.</summary>
    public int Rank { get; }

    /// <summary>The number of elements; 1 for a scalar.</summary>
    public int Count => Rank == 0 ? 1 : d0 * d1 * d2 * d3;

    /// <summary>The size of a dimension; a negative index counts from the last.</summary>
    public int this[int dimension]
    {
        get
        {
            int i = dimension < 0 ? dimension + Rank : dimension;
            if ((uint)i >= (uint)Rank)
                ThrowNoSuchDimension(dimension);
            return i switch { 0 => d0, 1 => d1, 2 => d2, _ => d3 };
        }
    }

    /// <summary>The elements of a row: the size of the last dimension.</summary>
    public int RowLength => Rank == 0 ? 1 : this[-1];

    /// <summary>The number of rows: the product of all sizes but the last.</summary>
    public int Rows => RowLength > 0 ? Count / RowLength : CountOf(0, Rank - 1);

    /// <summary>This shape with another last size.</summary>
    public Shape WithRowLength(int length) => Rank switch
    {
        1 => new(length),
        2 => new(d0, length),
        3 => new(d0, d1, length),
        4 => new(d0, d1, d2, length),
        _ => throw new InvalidOperationException("A scalar has no rows."),
    };

    /// <summary>The sizes, outermost first.</summary>
    public int[] ToArray()
    {
        int[] sizes = new int[Rank];
        for (int i = 0; i < sizes.Length; i++)
            sizes[i] = this[i];
        return sizes;
    }

    /// <summary>This shape with another size of one dimension, which is not negative.</summary>
    internal Shape With(int dimension, int size) => new(
        Rank, dimension == 0 ? size : d0, dimension == 1 ? size : d1, dimension == 2 ? size : d2, dimension == 3 ? size : d3);

    /// <summary>This shape without one dimension, which is not negative.</summary>
    internal Shape Without(int dimension) => new(
        Rank - 1, dimension <= 0 ? d1 : d0, dimension <= 1 ? d2 : d1, dimension <= 2 ? d3 : d2, 1);

    /// <summary>Whether the other has this shape, or its trailing dimensions after any ones, and no more dimensions.</summary>
    internal bool EndsWith(Shape other)
    {
        if (other.Rank > Rank || (other.Rank == 0 && Rank > 0))
            return false;
        int first = 0; // of the other's dimensions that count
        while (other.Rank - first > 1 && other[first] == 1)
            first++;
        for (int i = 1; i <= other.Rank - first; i++)
        {
            if (this[-i] != other[-i])
                return false;
        }
        return true;
    }

    /// <summary>The shape that both can be repeated to: from the last on, sizes are equal, or one is 1 or missing.</summary>
    internal static bool TryBroadcast(Shape a, Shape b, out Shape shape)
    {
        Span<int> sizes = stackalloc int[Math.Max(a.Rank, b.Rank)];
        shape = default;
        for (int i = 1; i <= sizes.Length; i++)
        {
            int sizeA = i <= a.Rank ? a[-i] : 1, sizeB = i <= b.Rank ? b[-i] : 1;
            if (sizeA != sizeB && sizeA != 1 && sizeB != 1)
                return false;
            sizes[^i] = sizeA == 1 ? sizeB : sizeA;
        }
        shape = Of(sizes);
        return true;
    }

    /// <summary>The product of the sizes of the dimensions from … to − 1.</summary>
    internal int CountOf(int from, int to)
    {
        int count = 1;
        for (int i = from; i < to; i++)
            count *= this[i];
        return count;
    }

    /// <inheritdoc/>
    public bool Equals(Shape other) => Rank == other.Rank && d0 == other.d0 && d1 == other.d1 && d2 == other.d2 && d3 == other.d3;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Rank, d0, d1, d2, d3);

    /// <summary>Whether both have the same sizes.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Whether they differ in any size.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary>As in <c>(2, 197, 384)</c>.</summary>
    public override string ToString() => Rank switch
    {
        0 => "()",
        1 => $"({d0})",
        2 => $"({d0}, {d1})",
        3 => $"({d0}, {d1}, {d2})",
        _ => $"({d0}, {d1}, {d2}, {d3})",
    };

    [DoesNotReturn]
    private void ThrowNoSuchDimension(int dimension) =>
        throw new ArgumentOutOfRangeException(nameof(dimension), $"{this} has no dimension {dimension}.");
}

/// <summary>A tensor would have more elements than an index can count.</summary>
public sealed class TensorSizeException : ArgumentException
{
    /// <summary>An exception without a message.</summary>
    public TensorSizeException() { }

    /// <summary>Says which shape.</summary>
    public TensorSizeException(string message) : base(message) { }

    /// <summary>Says which shape.</summary>
    public TensorSizeException(string message, Exception inner) : base(message, inner) { }
}
