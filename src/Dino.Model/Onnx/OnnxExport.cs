using Dino.Tensors.Io;

namespace Dino.Model.Onnx;

/// <summary>
/// Writes a Vision Transformer as an ONNX model (operator set 17) for batches and pictures of any size: <c>images</c> (B, C, height, width),
/// normalised as for training, to <c>features</c> (B, D), the class token after the final norm, and <c>tokens</c> (B, N, D), all of them.
/// </summary>
/// <remarks>The position embedding is resampled inside the graph, by the rule of <see cref="Tensors.Ops.ResizeGridOp"/>.</remarks>
public static class OnnxExport
{
    private const long IrVersion = 8, OperatorSet = 17;

    /// <summary>Writes the model by a temporary name that is renamed.</summary>
    /// <param name="path">The file.</param>
    /// <param name="config">The sizes.</param>
    /// <param name="values">The values of a parameter by its official name, row-major.</param>
    /// <exception cref="NotSupportedException">The network is one of DINOv2 or DINOv3.</exception>
    /// <exception cref="ArgumentException">The weights exceed the 2 GiB of one ONNX file.</exception>
    /// <exception cref="IOException">The file cannot be written; an existing one is left as it was.</exception>
    public static void Write(string path, ViTConfig config, Func<string, float[]> values)
    {
        if (config.Family != ViTFamily.Dino)
            throw new NotSupportedException($"{config.Describe()}: networks of DINOv2 and DINOv3 cannot be written as ONNX.");
        var model = new ProtoMessage().Add(1, IrVersion).Add(2, "Dino.Ilgpu")
            .Add(7, new Builder(config, values).Build().ToMessage()).Add(8, new ProtoMessage().Add(2, OperatorSet));
        try
        {
            _ = model.Length;
        }
        catch (OverflowException e)
        {
            throw new ArgumentException("The weights exceed the 2 GiB that one ONNX file can hold.", nameof(config), e);
        }
        AtomicFile.Write(path, model.WriteTo);
    }

    private sealed class Builder(ViTConfig config, Func<string, float[]> values)
    {
        private readonly OnnxGraph graph = new("vit");
        private readonly int d = config.Dim;

        public OnnxGraph Build()
        {
            graph.Input("images", "batch", config.Channels, "height", "width");
            Constants();
            string x = Tokens();
            for (int i = 0; i < config.Depth; i++)
                x = Block(x, $"blocks.{i}");
            string tokens = Norm(x, "norm");
            graph.Output("tokens", tokens, "batch", "tokens", d);
            graph.Output("features", graph.Add("Gather", [tokens, "index_0"], ("axis", 1)), "batch", d);
            return graph;
        }

        private void Constants()
        {
            void Number(string label, float value) => graph.Constant(label, [], [value]);
            Number("factor_0", 0.5f);
            Number("factor_1", 1);
            Number("factor_2", MathF.Sqrt(0.5f));
            Number("scale", 1 / MathF.Sqrt(d / config.Heads));
            for (int i = 0; i < 4; i++)
                graph.Integers($"at_{i}", i);
            for (int i = 0; i < 3; i++)
                graph.Scalar($"index_{i}", i);
            graph.Integers("rows_columns", 2, 3);
            graph.Integers("flat", 0, d, -1);
            graph.Integers("split", 0, 0, 3, config.Heads, d / config.Heads);
            graph.Integers("joined", 0, 0, d);
            graph.Integers("one_row", 1, d);

            // The resampling of positions: side s, offset 0.1, cubic convolution with a = −0.75.
            graph.Integers("end", long.MaxValue);
            graph.Integers("trained_cells", (long)config.Side * config.Side);
            graph.Integers("grid", config.Side, config.Side * d);
            graph.Integers("lines", -1, config.Side, d);
            graph.Integers("cells", 1, -1, d);
            Number("side_f", config.Side);
            Number("offset", 0.1f);
            Number("cubic", -0.75f);
            Number("near_3", 1.25f);
            Number("near_2", 2.25f);
            Number("far_2", 5);
            Number("far_1", 8);
            Number("far_0", 4);
            Number("zero", 0);
            Number("two", 2);
            Number("last_cell", config.Side - 1);
            for (int tap = 0; tap < 4; tap++)
                Number($"tap_{tap}", tap - 1);
            graph.Constant("side_cells", [1, config.Side], [.. Enumerable.Range(0, config.Side).Select(cell => (float)cell)]);
        }

        // (B, C, height, width) → (B, N, D)
        private string Tokens()
        {
            string weight = graph.Constant("patch_embed.proj.weight", [d, config.Channels, config.Patch, config.Patch], values("patch_embed.proj.weight"));
            string bias = graph.Constant("patch_embed.proj.bias", [d], values("patch_embed.proj.bias"));
            string cls = graph.Constant("cls_token", [1, 1, d], values("cls_token"));
            string pos = graph.Constant("pos_embed", [1, 1 + config.Side * config.Side, d], values("pos_embed"));
            int[] square = [config.Patch, config.Patch];
            string cells = graph.Add("Conv", ["images", weight, bias], ("kernel_shape", square), ("strides", square)); // (B, D, rows, columns)
            string patches = graph.Add("Transpose", [graph.Add("Reshape", [cells, "flat"])], ("perm", (int[])[0, 2, 1])); // (B, N − 1, D)
            string shape = graph.Add("Shape", [cells]);
            string first = graph.Add("Expand", [cls, graph.Add("Concat", [graph.Add("Gather", [shape, "at_0"]), "one_row"], ("axis", 0))]);
            string grid = graph.Add("Gather", [shape, "rows_columns"]);
            return graph.Add("Add", [graph.Add("Concat", [first, patches], ("axis", 1)), Positions(pos, grid)]);
        }

        // As trained where the picture is square and has the trained grid's number of cells; otherwise resampled, also to the same grid.
        private string Positions(string pos, string grid)
        {
            string size = graph.Add("Shape", ["images"]);
            string isSquare = graph.Add("Equal", [graph.Add("Gather", [size, "at_2"]), graph.Add("Gather", [size, "at_3"])]);
            string cells = graph.Add("ReduceProd", [grid], ("keepdims", 1));
            string asTrained = graph.Add("And", [isSquare, graph.Add("Equal", [cells, "trained_cells"])]);

            var same = new OnnxGraph("as_trained");
            same.Output("trained_positions", pos, 1, "tokens", d);
            var other = new OnnxGraph("resampled");
            string table = other.Add("Reshape", [other.Add("Slice", [pos, "at_1", "end", "at_1"]), "grid"]); // (s, s · D)
            string vertical = Axis(other, other.Add("Gather", [grid, "at_0"])), horizontal = Axis(other, other.Add("Gather", [grid, "at_1"]));
            string lines = other.Add("Reshape", [other.Add("MatMul", [vertical, table]), "lines"]); // (rows, s, D)
            string rows = other.Add("Reshape", [other.Add("MatMul", [horizontal, lines]), "cells"]); // (1, rows · columns, D)
            string slot = other.Add("Slice", [pos, "at_0", "at_1", "at_1"]);
            other.Output("resampled_positions", other.Add("Concat", [slot, rows], ("axis", 1)), 1, "tokens", d);
            return graph.Add("If", [asTrained], ("then_branch", same), ("else_branch", other));
        }

        /// <summary>
        /// The weights (n, s) of <see cref="Tensors.Ops.ResizeGridOp.Weights"/>. ONNX has an operator Resize, but runtimes take it for a copy where the
        /// size stays the same, which the offset of 0.1 makes wrong.
        /// </summary>
        private static string Axis(OnnxGraph graph, string n)
        {
            string Of(string op, params ReadOnlySpan<string> operands) => graph.Add(op, operands);
            string index = graph.Add("Cast", [Of("Range", "index_0", Of("Squeeze", n), "index_1")], ("to", 1));
            string step = Of("Div", "side_f", Of("Add", graph.Add("Cast", [n], ("to", 1)), "offset"));
            string at = Of("Sub", Of("Mul", Of("Add", index, "factor_0"), step), "factor_0");
            string cell = Of("Floor", at), part = Of("Sub", at, cell);
            // The four taps lie at these distances: the inner two on the near branch of the cubic, the others on the far one.
            string Near(string d) => Of("Add", Of("Mul", Of("Mul", Of("Sub", Of("Mul", d, "near_3"), "near_2"), d), d), "factor_1");
            string Far(string d) => Of("Mul", Of("Sub", Of("Mul", Of("Add", Of("Mul", Of("Sub", d, "far_2"), d), "far_1"), d), "far_0"), "cubic");
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

        private string Block(string x, string name)
        {
            string qkv = graph.Add("Reshape", [Linear(Norm(x, $"{name}.norm1"), $"{name}.attn.qkv", d, 3 * d), "split"]);
            string parts = graph.Add("Transpose", [qkv], ("perm", (int[])[2, 0, 3, 1, 4])); // (3, B, H, N, D / H)
            string q = graph.Add("Gather", [parts, "index_0"], ("axis", 0)), k = graph.Add("Gather", [parts, "index_1"], ("axis", 0)), v = graph.Add("Gather", [parts, "index_2"], ("axis", 0));
            string scores = graph.Add("MatMul", [graph.Add("Mul", [q, "scale"]), graph.Add("Transpose", [k], ("perm", (int[])[0, 1, 3, 2]))]);
            string mixed = graph.Add("MatMul", [graph.Add("Softmax", [scores], ("axis", -1)), v]);
            string heads = graph.Add("Reshape", [graph.Add("Transpose", [mixed], ("perm", (int[])[0, 2, 1, 3])), "joined"]);
            x = graph.Add("Add", [x, Linear(heads, $"{name}.attn.proj", d, d)]);
            int hidden = (int)(d * config.MlpRatio);
            string inner = Gelu(Linear(Norm(x, $"{name}.norm2"), $"{name}.mlp.fc1", d, hidden));
            return graph.Add("Add", [x, Linear(inner, $"{name}.mlp.fc2", hidden, d)]);
        }

        // x · Φ(x), exact.
        private string Gelu(string x)
        {
            string phi = graph.Add("Add", [graph.Add("Erf", [graph.Add("Mul", [x, "factor_2"])]), "factor_1"]);
            return graph.Add("Mul", [graph.Add("Mul", [x, phi]), "factor_0"]);
        }

        private string Norm(string x, string name) => graph.Add(
            "LayerNormalization",
            [x, graph.Constant($"{name}.weight", [d], values($"{name}.weight")), graph.Constant($"{name}.bias", [d], values($"{name}.bias"))],
            ("axis", -1), ("epsilon", config.NormEps));

        // Stored as (in, out), the way a product takes it.
        private string Linear(string x, string name, int from, int to)
        {
            float[] rows = values($"{name}.weight"), columns = new float[rows.Length];
            for (int i = 0; i < to; i++)
                for (int k = 0; k < from; k++)
                    columns[k * to + i] = rows[i * from + k];
            string product = graph.Add("MatMul", [x, graph.Constant($"{name}.weight", [from, to], columns)]);
            return graph.Add("Add", [product, graph.Constant($"{name}.bias", [to], values($"{name}.bias"))]);
        }
    }
}
