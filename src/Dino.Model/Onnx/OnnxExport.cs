using Dino.Tensors.Io;

namespace Dino.Model.Onnx;

/// <summary>
/// Writes a Vision Transformer as an ONNX model (operator set 17) for batches and pictures of any size: <c>images</c> (B, C, height,
/// width),
/// normalised as for training, to <c>features</c> (B, D), the class token after the final norm, and <c>tokens</c> (B, N, D), all of them.
/// </summary>
/// <remarks>Positions are <see cref="OnnxPositions"/>.</remarks>
public static class OnnxExport
{
    private const long IrVersion = 8, OperatorSet = 17;

    /// <summary>Writes the model by a temporary name that is renamed.</summary>
    /// <param name="path">The file.</param>
    /// <param name="config">The sizes.</param>
    /// <param name="values">The values of a parameter or buffer by its official name, row-major.</param>
    /// <exception cref="ArgumentException">
    /// The network is no Vision Transformer, or its weights exceed the 2 GiB of one ONNX file.
    /// </exception>
    /// <exception cref="IOException">The file cannot be written; an existing one is left as it was.</exception>
    public static void Write(string path, BackboneConfig config, Func<string, float[]> values)
    {
        if (config is not ViTConfig vit)
            throw new ArgumentException($"ONNX files are written of Vision Transformers, not of {config.Describe()}.", nameof(config));
        var model = new ProtoMessage().Add(1, IrVersion).Add(2, "Dino.Ilgpu")
            .Add(7, new Builder(vit, values).Build().ToMessage()).Add(8, new ProtoMessage().Add(2, OperatorSet));
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
        private OnnxPositions positions = null!;

        public OnnxGraph Build()
        {
            graph.Input("images", "batch", config.Channels, "height", "width");
            Constants();
            string x = Tokens();
            for (int i = 0; i < config.Depth; i++)
                x = Block(x, $"blocks.{i}");
            string tokens = !config.UntiedNorms ? Norm(x, "norm") : graph.Add(
                "Concat", [Norm(graph.Add("Slice", [x, "at_0", "first_patch", "at_1"]), "cls_norm"),
                    Norm(graph.Add("Slice", [x, "first_patch", "end", "at_1"]), "norm")], ("axis", 1));
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

            graph.Integers("end", long.MaxValue);
            graph.Integers("first_patch", config.FirstPatch);
            graph.Integers("hidden_1", config.Hidden);
            graph.Integers("hidden_2", 2 * config.Hidden);
        }

        // (B, C, height, width) → (B, N, D)
        private string Tokens()
        {
            string weight = graph.Constant("patch_embed.proj.weight", [d, config.Channels, config.Patch, config.Patch],
                values("patch_embed.proj.weight"));
            string bias = graph.Constant("patch_embed.proj.bias", [d], values("patch_embed.proj.bias"));
            string cls = graph.Constant("cls_token", [1, 1, d], values("cls_token"));
            int[] square = [config.Patch, config.Patch];
            // (B, D, rows, columns)
            string cells = graph.Add("Conv", ["images", weight, bias], ("kernel_shape", square), ("strides", square));
            string patches = graph.Add("Transpose", [graph.Add("Reshape", [cells, "flat"])], ("perm", (int[])[0, 2, 1])); // (B, N − 1, D)
            string shape = graph.Add("Shape", [cells]);
            string first = graph.Add("Expand", [cls, graph.Add("Concat", [graph.Add("Gather", [shape, "at_0"]), "one_row"], ("axis", 0))]);
            positions = new OnnxPositions(graph, config, values, graph.Add("Gather", [shape, "rows_columns"]));
            string x = positions.AddTo(graph.Add("Concat", [first, patches], ("axis", 1)));
            if (config.Registers == 0)
                return x;
            string registers = graph.Constant("register_tokens", [1, config.Registers, d], values("register_tokens"));
            registers = graph.Add("Expand", [registers,
                graph.Add("Concat", [graph.Add("Gather", [shape, "at_0"]), "one_row"], ("axis", 0))]);
            return graph.Add("Concat", [graph.Add("Slice", [x, "at_0", "at_1", "at_1"]), registers,
                graph.Add("Slice", [x, "at_1", "end", "at_1"])], ("axis", 1));
        }

        private string Block(string x, string name)
        {
            string qkv = graph.Add("Reshape", [Linear(Norm(x, $"{name}.norm1"), $"{name}.attn.qkv", d, 3 * d, config.QkvBias), "split"]);
            string parts = graph.Add("Transpose", [qkv], ("perm", (int[])[2, 0, 3, 1, 4])); // (3, B, H, N, D / H)
            string q = graph.Add("Gather", [parts, "index_0"], ("axis", 0)), k = graph.Add("Gather", [parts, "index_1"], ("axis", 0)),
            v = graph.Add("Gather", [parts, "index_2"], ("axis", 0));
            (q, k) = (positions.Turn(q), positions.Turn(k));
            string scores = graph.Add("MatMul",
                [graph.Add("Mul", [q, "scale"]), graph.Add("Transpose", [k], ("perm", (int[])[0, 1, 3, 2]))]);
            string mixed = graph.Add("MatMul", [graph.Add("Softmax", [scores], ("axis", -1)), v]);
            string heads = graph.Add("Reshape", [graph.Add("Transpose", [mixed], ("perm", (int[])[0, 2, 1, 3])), "joined"]);
            x = graph.Add("Add", [x, Scaled(Linear(heads, $"{name}.attn.proj", d, d), $"{name}.ls1.gamma")]);
            return graph.Add("Add", [x, Scaled(Mlp(Norm(x, $"{name}.norm2"), $"{name}.mlp"), $"{name}.ls2.gamma")]);
        }

        private string Scaled(string x, string name) =>
            config.LayerScale ? graph.Add("Mul", [x, graph.Constant(name, [d], values(name))]) : x;

        private string Mlp(string x, string name)
        {
            if (!config.SwiGlu)
                return Linear(Gelu(Linear(x, $"{name}.fc1", d, config.Hidden)), $"{name}.fc2", config.Hidden, d);
            string both = Linear(x, $"{name}.w12", d, 2 * config.Hidden);
            string gate = graph.Add("Slice", [both, "at_0", "hidden_1", "at_2"]),
                value = graph.Add("Slice", [both, "hidden_1", "hidden_2", "at_2"]);
            return Linear(graph.Add("Mul", [graph.Add("Mul", [gate, graph.Add("Sigmoid", [gate])]), value]), $"{name}.w3", config.Hidden,
                d);
        }

        // x · Φ(x), exact.
        private string Gelu(string x)
        {
            string phi = graph.Add("Add", [graph.Add("Erf", [graph.Add("Mul", [x, "factor_2"])]), "factor_1"]);
            return graph.Add("Mul", [graph.Add("Mul", [x, phi]), "factor_0"]);
        }

        private string Norm(string x, string name) => graph.Add(
            "LayerNormalization",
            [x, graph.Constant($"{name}.weight", [d], values($"{name}.weight")),
                graph.Constant($"{name}.bias", [d], values($"{name}.bias"))],
            ("axis", -1), ("epsilon", config.NormEps));

        // Stored as (in, out), the way a product takes it.
        private string Linear(string x, string name, int from, int to, bool hasBias = true)
        {
            float[] rows = values($"{name}.weight"), columns = new float[rows.Length];
            for (int i = 0; i < to; i++)
                for (int k = 0; k < from; k++)
                    columns[k * to + i] = rows[i * from + k];
            string product = graph.Add("MatMul", [x, graph.Constant($"{name}.weight", [from, to], columns)]);
            return hasBias ? graph.Add("Add", [product, graph.Constant($"{name}.bias", [to], values($"{name}.bias"))]) : product;
        }
    }
}
