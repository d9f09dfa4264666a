using Dino.Tensors.Ops;

namespace Dino.Model.Onnx;

/// <summary>
/// Positions in an ONNX graph, for pictures of any size: the embedding that is added to the tokens, resampled by the rules of
/// <see cref="ResizeGridOp"/>,
/// or the turns of queries and keys, as <see cref="RotaryOp"/> makes them.
/// </summary>
internal sealed class OnnxPositions
{
    private readonly OnnxGraph graph;
    private readonly ViTConfig config;
    private readonly string? embedding, sin, cos;

    /// <summary>Adds what depends on the picture's size alone.</summary>
    /// <param name="graph">With the numbers and indices that <see cref="OnnxExport"/> begins with.</param>
    /// <param name="config">The sizes.</param>
    /// <param name="values">The values of a parameter or buffer by its official name.</param>
    /// <param name="grid">The patches of a picture: rows and columns.</param>
    public OnnxPositions(OnnxGraph graph, ViTConfig config, Func<string, float[]> values, string grid)
    {
        (this.graph, this.config) = (graph, config);
        Number("two", 2);
        if (config.Rotary)
            (sin, cos) = Turns(values("rope_embed.periods"), grid);
        else
            embedding = Embedding(values("pos_embed"), grid);
    }

    /// <summary>The tokens (B, 1 + patches, D) with their positions added, if these are added.</summary>
    public string AddTo(string tokens) => embedding is null ? tokens : graph.Add("Add", [tokens, embedding]);

    /// <summary>Queries or keys (B, H, N, D / H), turned if positions are turns: x cos + (−second half, first half) sin.</summary>
    public string Turn(string x)
    {
        if (sin is null)
            return x;
        string before = graph.Add("Slice", [x, "at_0", "first_patch", "at_2"]),
            patches = graph.Add("Slice", [x, "first_patch", "end", "at_2"]);
        string left = graph.Add("Slice", [patches, "at_0", "half_head", "at_3"]),
            right = graph.Add("Slice", [patches, "half_head", "end", "at_3"]);
        string rotated = graph.Add("Concat", [graph.Add("Neg", [right]), left], ("axis", 3));
        return graph.Add("Concat", [before, graph.Add("Add", [graph.Add("Mul", [patches, cos!]), graph.Add("Mul", [rotated, sin])])],
            ("axis", 2));
    }

    // (patches, D / H) each
    private (string Sin, string Cos) Turns(float[] periods, string grid)
    {
        int quarter = periods.Length;
        graph.Integers("half_head", 2 * quarter);
        graph.Integers("vertically", -1, 1, 1);
        graph.Integers("horizontally", 1, -1, 1);
        graph.Integers("quarter_head", quarter);
        graph.Integers("places", -1, 2 * quarter);
        graph.Constant("turns", [1, 1, quarter], [.. periods.Select(period => 2 * MathF.PI / period)]);
        string extents = graph.Add("Concat", [grid, "quarter_head"], ("axis", 0));
        string Angles(string number, string direction)
        {
            string n = graph.Add("Gather", [grid, number]);
            string at = Of(graph, "Sub", Of(graph, "Div", Of(graph, "Mul", Of(graph, "Add", Index(graph, n), "factor_0"), "two"),
                Of(graph, "Cast", n, ("to", 1))), "factor_1");
            // (rows, columns, D / H / 4)
            return Of(graph, "Expand", Of(graph, "Mul", Of(graph, "Reshape", at, direction), "turns"), extents);
        }
        string half = graph.Add("Reshape", [graph.Add(
            "Concat", [Angles("at_0", "vertically"), Angles("at_1", "horizontally")], ("axis", 2)), "places"]);
        string angles = graph.Add("Concat", [half, half], ("axis", 1));
        return (graph.Add("Sin", [angles]), graph.Add("Cos", [angles]));
    }

    // As trained where the picture is square and has the trained grid's number of cells; otherwise resampled, also to the same grid.
    private string Embedding(float[] table, string grid)
    {
        int side = config.Side, d = config.Dim;
        graph.Integers("trained_cells", (long)side * side);
        graph.Integers("grid", side, side * d);
        graph.Integers("lines", -1, side, d);
        graph.Integers("cells", 1, -1, d);
        Number("side_f", side);
        Number("zero", 0);
        graph.Constant("side_cells", [1, side], [.. Enumerable.Range(0, side).Select(cell => (float)cell)]);
        Func<OnnxGraph, string, string> axis = config.Resampling == GridResampling.Shifted ? Shifted : Antialiased;
        if (config.Resampling == GridResampling.Shifted)
            ShiftedNumbers(side);
        else
            AntialiasedNumbers();

        string pos = graph.Constant("pos_embed", [1, 1 + side * side, d], table);
        string size = graph.Add("Shape", ["images"]);
        string isSquare = graph.Add("Equal", [graph.Add("Gather", [size, "at_2"]), graph.Add("Gather", [size, "at_3"])]);
        string asTrained = graph.Add("And", [isSquare,
            graph.Add("Equal", [graph.Add("ReduceProd", [grid], ("keepdims", 1)), "trained_cells"])]);

        var same = new OnnxGraph("as_trained");
        same.Output("trained_positions", pos, 1, "tokens", d);
        var other = new OnnxGraph("resampled");
        string square = other.Add("Reshape", [other.Add("Slice", [pos, "at_1", "end", "at_1"]), "grid"]); // (s, s · D)
        string vertical = axis(other, other.Add("Gather", [grid, "at_0"])), horizontal = axis(other, other.Add("Gather", [grid, "at_1"]));
        string lines = other.Add("Reshape", [other.Add("MatMul", [vertical, square]), "lines"]); // (rows, s, D)
        string rows = other.Add("Reshape", [other.Add("MatMul", [horizontal, lines]), "cells"]); // (1, rows · columns, D)
        string slot = other.Add("Slice", [pos, "at_0", "at_1", "at_1"]);
        other.Output("resampled_positions", other.Add("Concat", [slot, rows], ("axis", 1)), 1, "tokens", d);
        return graph.Add("If", [asTrained], ("then_branch", same), ("else_branch", other));
    }

    private void ShiftedNumbers(int side)
    {
        Number("offset", 0.1f);
        Number("cubic", -0.75f);
        Number("near_3", 1.25f);
        Number("near_2", 2.25f);
        Number("far_2", 5);
        Number("far_1", 8);
        Number("far_0", 4);
        Number("last_cell", side - 1);
        for (int tap = 0; tap < 4; tap++)
            Number($"tap_{tap}", tap - 1);
    }

    /// <summary>
    /// The weights (n, s) of <see cref="ResizeGridOp.Weights"/>: offset 0.1, cubic convolution with a = −0.75. ONNX has an operator Resize,
    /// but runtimes take
    /// it for a copy where the size stays the same, which the offset makes wrong.
    /// </summary>
    private static string Shifted(OnnxGraph graph, string n)
    {
        string Of(string op, params ReadOnlySpan<string> operands) => graph.Add(op, operands);
        string step = Of("Div", "side_f", Of("Add", graph.Add("Cast", [n], ("to", 1)), "offset"));
        string at = Of("Sub", Of("Mul", Of("Add", Index(graph, n), "factor_0"), step), "factor_0");
        string cell = Of("Floor", at), part = Of("Sub", at, cell);
        // The four taps lie at these distances: the inner two on the near branch of the cubic, the others on the far one.
        string Near(string d) => Of("Add", Of("Mul", Of("Mul", Of("Sub", Of("Mul", d, "near_3"), "near_2"), d), d), "factor_1");
        string Far(string d) => Of("Mul", Of("Sub", Of("Mul", Of("Add", Of("Mul", Of("Sub", d, "far_2"), d), "far_1"), d), "far_0"),
            "cubic");
        string[] weights = [Far(Of("Add", part, "factor_1")), Near(part), Near(Of("Sub", "factor_1", part)), Far(Of("Sub", "two", part))];
        string? sum = null;
        for (int tap = 0; tap < 4; tap++)
        {
            string clamped = Of("Clip", Of("Add", cell, $"tap_{tap}"), "zero", "last_cell");
            string hit = graph.Add("Cast", [Of("Equal", Of("Unsqueeze", clamped, "at_1"), "side_cells")], ("to", 1));
            string term = Of("Mul", hit, Of("Unsqueeze", weights[tap], "at_1"));
            sum = sum is null ? term : Of("Add", sum, term);
        }
        return sum!;
    }

    private void AntialiasedNumbers()
    {
        Number("near_3", 1.5f);
        Number("near_2", 2.5f);
        Number("far_3", -0.5f);
        Number("far_2", 2.5f);
        Number("far_1", 4);
    }

    /// <summary>Those with antialiasing: a = −0.5, no offset, as wide as the larger of two cells, made to sum to 1.</summary>
    private static string Antialiased(OnnxGraph graph, string n)
    {
        string Of(string op, params ReadOnlySpan<string> operands) => graph.Add(op, operands);
        string step = Of("Div", "side_f", graph.Add("Cast", [n], ("to", 1)));
        string at = Of("Sub", Of("Mul", Of("Add", Index(graph, n), "factor_0"), step), "factor_0");
        string t = Of("Div", Of("Abs", Of("Sub", Of("Unsqueeze", at, "at_1"), "side_cells")), Of("Max", step, "factor_1"));
        string near = Of("Add", Of("Mul", Of("Mul", Of("Sub", Of("Mul", t, "near_3"), "near_2"), t), t), "factor_1");
        string far = Of("Add", Of("Mul", Of("Sub", Of("Mul", Of("Add", Of("Mul", t, "far_3"), "far_2"), t), "far_1"), t), "two");
        string weights = Of("Where", Of("Less", t, "factor_1"), near, Of("Where", Of("Less", t, "two"), far, "zero"));
        return Of("Div", weights, graph.Add("ReduceSum", [weights, "at_1"], ("keepdims", 1)));
    }

    // 0 … n − 1, as floats
    private static string Index(OnnxGraph graph, string n) =>
        graph.Add("Cast", [graph.Add("Range", ["index_0", graph.Add("Squeeze", [n]), "index_1"])], ("to", 1));

    private static string Of(OnnxGraph graph, string op, string operand, (string Name, object Value) attribute) =>
        graph.Add(op, [operand], attribute);

    private static string Of(OnnxGraph graph, string op, string a, string b) => graph.Add(op, [a, b]);

    private void Number(string label, float value) => graph.Constant(label, [], [value]);
}
