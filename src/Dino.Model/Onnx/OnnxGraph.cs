namespace Dino.Model.Onnx;

/// <summary>
/// An ONNX graph under construction: nodes in order of execution, and constants. The numbers are the fields of onnx.proto3.
/// </summary>
internal sealed class OnnxGraph(string name)
{
    private const long Float = 1, Int64 = 7;
    private const long FloatAttribute = 1, IntAttribute = 2, TextAttribute = 3, GraphAttribute = 5, IntsAttribute = 7;

    private readonly List<ProtoMessage> nodeList = [], initializers = [], inputs = [], outputs = [];
    private int count;

    /// <summary>A constant of floats.</summary>
    /// <returns>Its name.</returns>
    public string Constant(string label, ReadOnlySpan<int> shape, float[] values)
    {
        initializers.Add(Tensor(label, shape, Float).Add(9, values));
        return label;
    }

    /// <summary>A constant vector of whole numbers.</summary>
    /// <returns>Its name.</returns>
    public string Integers(string label, params ReadOnlySpan<long> values)
    {
        initializers.Add(Tensor(label, [values.Length], Int64).AddAll(7, values.ToArray()));
        return label;
    }

    /// <summary>A constant whole number.</summary>
    public void Scalar(string label, long value) => initializers.Add(Tensor(label, [], Int64).Add(7, value));

    /// <summary>An operation with one result.</summary>
    /// <returns>The result's name.</returns>
    public string Add(string op, ReadOnlySpan<string> operands, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        string result = $"{name}/{op.ToLowerInvariant()}_{count++}";
        var node = new ProtoMessage().AddAll(1, operands.ToArray()).Add(2, result).Add(3, result).Add(4, op);
        foreach (var (label, value) in attributes)
            node.Add(5, Attribute(label, value));
        nodeList.Add(node);
        return result;
    }

    /// <summary>A float input of named and fixed extents.</summary>
    public void Input(string label, params ReadOnlySpan<object> extents) => inputs.Add(Value(label, extents));

    /// <summary>A float output under a name of its own.</summary>
    public void Output(string label, string result, params ReadOnlySpan<object> extents)
    {
        nodeList.Add(new ProtoMessage().Add(1, result).Add(2, label).Add(3, label).Add(4, "Identity"));
        outputs.Add(Value(label, extents));
    }

    /// <summary>The graph as a message.</summary>
    public ProtoMessage ToMessage() =>
        new ProtoMessage().AddAll(1, nodeList).Add(2, name).AddAll(5, initializers).AddAll(11, inputs).AddAll(12, outputs);

    private static ProtoMessage Tensor(string label, ReadOnlySpan<int> shape, long type)
    {
        var tensor = new ProtoMessage();
        foreach (int extent in shape)
            tensor.Add(1, (long)extent);
        return tensor.Add(2, type).Add(8, label);
    }

    private static ProtoMessage Value(string label, ReadOnlySpan<object> extents)
    {
        var shape = new ProtoMessage();
        foreach (object extent in extents)
            shape.Add(1, extent is string symbol ? new ProtoMessage().Add(2, symbol) : new ProtoMessage().Add(1, (long)(int)extent));
        return new ProtoMessage().Add(1, label).Add(2, new ProtoMessage().Add(1, new ProtoMessage().Add(1, Float).Add(2, shape)));
    }

    private static ProtoMessage Attribute(string label, object value)
    {
        var attribute = new ProtoMessage().Add(1, label);
        return value switch
        {
            float number => attribute.Add(2, number).Add(20, FloatAttribute),
            int number => attribute.Add(3, (long)number).Add(20, IntAttribute),
            string text => attribute.Add(4, text).Add(20, TextAttribute),
            OnnxGraph graph => attribute.Add(6, graph.ToMessage()).Add(20, GraphAttribute),
            int[] numbers => attribute.AddAll(8, numbers.Select(number => (long)number)).Add(20, IntsAttribute),
            _ => throw new InvalidOperationException($"An attribute cannot be a {value.GetType().Name}."),
        };
    }
}
