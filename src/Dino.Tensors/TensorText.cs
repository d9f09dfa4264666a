using System.Globalization;
using System.Text;

namespace Dino.Tensors;

/// <summary>
/// The numbers of a tensor in lines of text as NumPy writes an array: in columns, a float with as many digits as tell it from its
/// neighbours and
/// eight decimals at most, and of more than a thousand elements the first and last three of each dimension.
/// </summary>
internal sealed class TensorText
{
    /// <summary>More elements than this are not all shown.</summary>
    public const int MostElements = 1000;

    private const int Edge = 3, LineWidth = 75;

    private readonly Shape shape;
    private readonly bool isShortened;
    private readonly List<float> values = []; // those that are shown; of whole numbers, their bits
    private string[] words = [];
    private int next;

    private TensorText(Shape shape)
    {
        this.shape = shape;
        isShortened = shape.Count > MostElements;
    }

    /// <param name="shape">The tensor's.</param>
    /// <param name="type">The type of its elements.</param>
    /// <param name="read">Reads elements from a place on.</param>
    public static string Of(Shape shape, DType type, Action<int, float[]> read)
    {
        if (shape.Count == 0)
            return "[]";
        var text = new TensorText(shape);
        text.Collect(0, 0, read);
        text.words = type == DType.Int32 ? WholeNumbers(text.values) : FloatText.Of(text.values);
        return shape.Rank == 0 ? Scalar(text.words[0]) : text.Part(0, " ", LineWidth);
    }

    private static string Scalar(string word) => word.EndsWith('.') ? word + "0" : word;

    private static string[] WholeNumbers(List<float> bits)
    {
        string[] words = [.. bits.Select(value => BitConverter.SingleToInt32Bits(value).ToString(CultureInfo.InvariantCulture))];
        int width = words.Max(word => word.Length);
        return [.. words.Select(word => word.PadLeft(width))];
    }

    private bool IsCut(int dimension) => isShortened && shape[dimension] > 2 * Edge;

    private void Collect(int dimension, int start, Action<int, float[]> read)
    {
        int rank = shape.Rank, stride = shape.CountOf(Math.Min(dimension + 1, rank), rank), size = rank == 0 ? 1 : shape[dimension];
        if (dimension < rank - 1)
        {
            for (int i = 0; i < size; i++)
            {
                if (IsCut(dimension) && i == Edge)
                    i = size - Edge;
                Collect(dimension + 1, start + i * stride, read);
            }
        }
        else if (rank > 0 && IsCut(dimension))
        {
            Read(start, Edge);
            Read(start + size - Edge, Edge);
        }
        else
            Read(start, size);

        void Read(int from, int count)
        {
            float[] piece = new float[count];
            read(from, piece);
            values.AddRange(piece);
        }
    }

    /// <summary>What lies below one index of each dimension before this one, in its brackets.</summary>
    /// <param name="dimension">The outermost dimension that is left.</param>
    /// <param name="indent">What a further line begins with.</param>
    /// <param name="width">How long a line may be.</param>
    private string Part(int dimension, string indent, int width)
    {
        bool isRow = dimension == shape.Rank - 1;
        int size = shape[dimension];
        string between = new('\n', shape.Rank - dimension - 1);
        var text = new StringBuilder();
        var line = new StringBuilder(indent);
        for (int i = 0; i < size; i++)
        {
            if (IsCut(dimension) && i == Edge)
            {
                Add("...");
                i = size - Edge;
            }
            Add(isRow ? words[next++] : Part(dimension + 1, indent + " ", width - 1), isLast: i == size - 1);
        }
        return "[" + text.Append(line).ToString(indent.Length, text.Length - indent.Length) + "]";

        void Add(string word, bool isLast = false)
        {
            if (!isRow)
            {
                line.Append(word).Append(isLast ? "" : between + indent);
                return;
            }
            if (line.Length > indent.Length && line.Length + word.Length > width - 1)
            {
                text.Append(line.ToString().TrimEnd()).Append('\n');
                line.Clear().Append(indent);
            }
            line.Append(word).Append(isLast ? "" : " ");
        }
    }
}
