using System.Reflection;
using Dino.Tensors.Ops;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Core;

/// <summary>
/// Every public op refuses an operand of another device, of another type, or that has ended, whichever of its operands it is. Ops are found
/// by
/// reflection: one without calls here fails.
/// </summary>
public class OperandTests
{
    /// <summary>The arguments of a call that works, for each public method of the ops with a tensor among its parameters.</summary>
    private static readonly Dictionary<string, Func<Device, object?[]>> calls = new(Comparisons)
    {
        ["AddOp.Add/2"] = d => [One(d, 2, 3), One(d, 3)],
        ["AddOp.Add/2 Tensor, Single"] = d => [One(d, 2, 3), 2f],
        ["AddBranchOp.AddBranch/3"] = d => [One(d, 2, 3, 4), One(d, 2, 3, 4), One(d, 2)],
        ["AllGatherOp.AllGather/2"] = d => [One(d, 2, 3), OneRank.Instance],
        ["AttentionOp.Attention/2"] = d => [One(d, 1, 5, 12), 2],
        ["AttentionOp.AttentionWeights/2"] = d => [One(d, 1, 5, 12), 2],
        ["AttentionOp.FirstTokenAttention/2"] = d => [One(d, 1, 5, 12), 2],
        ["BatchNormOp.BatchNorm/9"] = d => [One(d, 2, 4), One(d, 4), One(d, 4), One(d, 4), One(d, 4), true, 0.1f, 1e-5f, null],
        ["CentredSoftmaxOp.CentredSoftmax/3"] = d => [One(d, 2, 4), One(d, 4), 1f],
        ["CentreUpdate.FromSums/4"] = d => [One(d, 4), One(d, 4), 2, 0.9f],
        ["CentreUpdate.Norm/1"] = d => [One(d, 4)],
        ["CentreUpdate.Run/3"] = d => [One(d, 4), One(d, 2, 4), 0.9f],
        ["ClassTokenOp.WithClassToken/3"] = d => [One(d, 2, 3, 4), One(d, 1, 1, 4), One(d, 1, 4, 4)],
        ["ColumnSum.Run/3"] = d => [One(d, 3, 4), One(d, 4), 0],
        ["ConcatOp.Concat/2"] = d => [One(d, 3, 4), One(d, 2, 4)],
        ["CrossEntropyOp.MultiViewCrossEntropy/4"] = d => [One(d, 4, 3), One(d, 4, 3), 2, 0.1f],
        ["DivideOp.Divide/2"] = d => [One(d, 2, 3), One(d, 2, 1)],
        ["DivideOp.Divide/2 Tensor, Single"] = d => [One(d, 2, 3), 2f],
        ["DivideOp.Divide/2 Single, Tensor"] = d => [2f, One(d, 2, 3)],
        ["ExpOp.Exp/1"] = d => [One(d, 3)],
        ["ExpandOp.Expand/2"] = d => [One(d, 1, 3), new Shape(2, 3)],
        ["FeedForwardOp.FeedForward/7"] = d =>
            [One(d, 2, 3, 4), One(d, 8, 4), One(d, 8), One(d, 4, 8), One(d, 4), One(d, 2, 3, 4), One(d, 2)],
        ["GatherRowsOp.GatherRows/2"] = d => [One(d, 3, 4), Tensor.FromInts(d, [2, 0], new Shape(2))],
        ["GeluOp.Gelu/1"] = d => [One(d, 3)],
        ["GeneralizedMeanOp.GeneralizedMean/3"] = d => [One(d, 2, 3, 4), 3f, 1e-6f],
        ["L2NormalizeOp.L2Normalize/2"] = d => [One(d, 2, 3), 1e-12f],
        ["LayerNormOp.LayerNorm/4"] = d => [One(d, 2, 4), One(d, 4), One(d, 4), 1e-6f],
        ["LinearOp.Linear/3"] = d => [One(d, 2, 3), One(d, 4, 3), One(d, 4)],
        ["LinearOp.Linear/5"] = d => [One(d, 2, 3), One(d, 4, 3), One(d, 4), One(d, 2, 4), One(d, 2)],
        ["LogOp.Log/1"] = d => [One(d, 3)],
        ["LogSoftmaxOp.LogSoftmax/1"] = d => [One(d, 2, 3)],
        ["MaskedFillOp.MaskedFill/3"] = d => [One(d, 2, 3), One(d, 3), 2f],
        ["MatMulOp.MatMul/4"] = d => [One(d, 2, 3), One(d, 3, 4), false, false],
        ["MeanOp.Mean/1"] = d => [One(d, 2, 3)],
        ["MeanOp.Mean/3"] = d => [One(d, 2, 3), 0, false],
        ["MultiplyOp.Multiply/2"] = d => [One(d, 2, 3), One(d, 2, 3)],
        ["MultiplyOp.Multiply/2 Tensor, Single"] = d => [One(d, 2, 3), 2f],
        ["NonFinite.Count/1"] = d => [One(d, 2, 3)],
        ["PatchEmbeddingOp.PatchEmbedding/3"] = d => [One(d, 1, 1, 2, 2), One(d, 4, 1, 2, 2), One(d, 4)],
        ["RecomputeOp.Recompute/3"] = d => [One(d, 3)],
        ["ReluOp.Relu/1"] = d => [One(d, 3)],
        ["ReshapeOp.Reshape/2"] = d => [One(d, 3), new Shape(3, 1)],
        ["ResizeGridOp.ResizeGrid/4"] = d => [One(d, 1, 5, 3), 3, 3, GridResampling.Shifted],
        ["RotaryOp.Rotary/5"] = d => [One(d, 1, 5, 12), One(d, 1), 1, 2, 2],
        ["RowEntropyOp.RowEntropy/1"] = d => [One(d, 2, 3)],
        ["ScaleOp.Scale/2"] = d => [One(d, 3), 2f],
        ["SliceOp.Slice/4"] = d => [One(d, 3, 4), 0, 1, 2],
        ["SoftmaxOp.Softmax/1"] = d => [One(d, 2, 3)],
        ["SqrtOp.Sqrt/1"] = d => [One(d, 3)],
        ["SubtractOp.Subtract/2"] = d => [One(d, 2, 3), One(d, 2, 1)],
        ["SubtractOp.Subtract/2 Tensor, Single"] = d => [One(d, 2, 3), 2f],
        ["SubtractOp.Subtract/2 Single, Tensor"] = d => [2f, One(d, 2, 3)],
        ["SumOp.Sum/1"] = d => [One(d, 2, 3)],
        ["SumOp.Sum/3"] = d => [One(d, 2, 3), 1, true],
        ["SwiGluOp.SwiGlu/1"] = d => [One(d, 2, 4)],
        ["TopKOp.TopK/2"] = d => [One(d, 2, 3), 2],
        ["TransposeOp.Transpose/1"] = d => [One(d, 2, 3)],
        ["TransposeOp.Transpose/3"] = d => [One(d, 2, 3), 0, 1],
        ["WeightNormLinearOp.WeightNormLinear/3"] = d => [One(d, 2, 3), One(d, 4, 3), One(d, 4, 1)],
        ["WeightNormOp.WeightNorm/2"] = d => [One(d, 4, 3), One(d, 4, 1)],
        ["WhereOp.Where/3"] = d => [One(d, 2, 3), One(d, 3), One(d, 2, 1)],
    };

    /// <summary>Ops that only look at the numbers from another side, whatever these are.</summary>
    private static readonly HashSet<string> ofAnyType = ["ReshapeOp.Reshape/2", "SliceOp.Slice/4"];

    /// <summary>Operands that are masks: of floats or whole numbers.</summary>
    private static readonly HashSet<(string Op, int Operand)> masks = [("WhereOp.Where/3", 1), ("MaskedFillOp.MaskedFill/3", 1)];

    public static IEnumerable<string> Names => Methods.Keys;

    private static Dictionary<string, MethodInfo> Methods => typeof(Tensor).Assembly.GetExportedTypes()
        .Where(type => type.Namespace == "Dino.Tensors.Ops")
        .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static))
        // One that is closed over an activation checks what the op of the same name does, which calls it.
        .Where(method => !method.IsGenericMethodDefinition && method.GetParameters()
            .Any(p => p.ParameterType == typeof(Tensor) || p.ParameterType == typeof(ReadOnlySpan<Tensor>)))
        .GroupBy(method => $"{method.DeclaringType!.Name}.{method.Name}/{method.GetParameters().Length}")
        .SelectMany(group => group.Select(method =>
            (Name: group.Count() == 1 || OfTensors(method) ? group.Key : $"{group.Key} {Types(method)}", method)))
        .ToDictionary(named => named.Name, named => named.method);

    private static IEnumerable<KeyValuePair<string, Func<Device, object?[]>>> Comparisons =>
        from comparison in (string[])["Less", "LessEqual", "Greater", "GreaterEqual", "Eq", "NotEqual"]
        from number in (bool[])[false, true]
        select new KeyValuePair<string, Func<Device, object?[]>>(
            $"CompareOp.{comparison}/2{(number ? " Tensor, Single" : "")}", d => [One(d, 2, 3), number ? 2f : One(d, 2, 1)]);

    private static bool OfTensors(MethodInfo method) => method.GetParameters().All(p => p.ParameterType == typeof(Tensor));

    private static string Types(MethodInfo method) => string.Join(", ", method.GetParameters().Select(p => p.ParameterType.Name));

    [TestCaseSource(nameof(Names))]
    public void OperandOfAnotherDevice_IsRefused_NamingBoth(string name)
    {
        using Device here = Open("cpu"), there = Open("cpu");
        using Arena a = here.BeginArena(), b = there.BeginArena();
        foreach (int i in TensorsOf(name, here).Skip(1))
        {
            object?[] arguments = Calls(name)(here);
            arguments[i] = Calls(name)(there)[i];
            Assert.That(() => Invoke(name, arguments), Throws.ArgumentException.With.Message.Contains("different devices")
                .And.Message.Contains(((Tensor)arguments[0]!).Summary).And.Message.Contains(((Tensor)arguments[i]!).Summary),
                $"operand {i}");
        }
        // The others' device is not what it looks at alone: with the first operand elsewhere, all the rest is.
        object?[] first = Calls(name)(here);
        if (TensorsOf(name, here).Count() > 1)
        {
            first[0] = Calls(name)(there)[0];
            Assert.That(() => Invoke(name, first), Throws.ArgumentException.With.Message.Contains("different devices"),
                "the first operand");
        }
    }

    [TestCaseSource(nameof(Names))]
    public void OperandOfAnotherType_IsRefused(string name)
    {
        using var device = Open("cpu");
        using var arena = device.BeginArena();
        foreach (int i in TensorsOf(name, device))
        {
            object?[] arguments = Calls(name)(device);
            var operand = (Tensor)arguments[i]!;
            arguments[i] = operand.DType == DType.Int32
                ? One(device, operand.Shape.ToArray())
                : Tensor.FromInts(device, new int[operand.Count], operand.Shape);
            if (!ofAnyType.Contains(name) && !masks.Contains((name, i)))
                Assert.That(() => Invoke(name, arguments), Throws.ArgumentException.With.Message.Contains("Int32"), $"operand {i}");
        }
    }

    /// <summary>On a device that is not strict too, with its own object free for reuse.</summary>
    [TestCaseSource(nameof(Names))]
    public void OperandThatHasEnded_IsRefused(string name)
    {
        using var device = Open("cpu");
        using var arena = device.BeginArena();
        foreach (int i in TensorsOf(name, device))
        {
            object?[] arguments = Calls(name)(device);
            ((Tensor)arguments[i]!).Dispose();
            _ = Calls(name)(device);
            Assert.That(() => Invoke(name, arguments), Throws.InstanceOf<ObjectDisposedException>(), $"operand {i}");
        }
    }

    [TestCaseSource(nameof(Names))]
    public void OperandThatIsNull_IsNamed(string name)
    {
        using var device = Open("cpu");
        using var arena = device.BeginArena();
        var parameters = Methods[name].GetParameters();
        foreach (int i in TensorsOf(name, device))
        {
            var parameter = parameters[Math.Min(i, parameters.Length - 1)];
            if (new NullabilityInfoContext().Create(parameter).WriteState == NullabilityState.Nullable)
                continue;
            object?[] arguments = Calls(name)(device);
            arguments[i] = null;
            string named = name.StartsWith("ConcatOp", StringComparison.Ordinal) ? "parts" : parameter.Name!;
            Assert.That(() => Invoke(name, arguments), Throws.ArgumentNullException.With.Property("ParamName").EqualTo(named),
                $"operand {i}");
        }
    }

    [Test]
    public void TensorsAndTapes_RefuseNull_ByName()
    {
        using var device = Open("cpu");
        using var arena = device.BeginArena();
        using var tape = new Tape(device);
        var x = One(device, 3);
        x.RequiresGrad = true;
        Refuses("device", () => Tensor.Zeros(null!, new Shape(1)));
        Refuses("device", () => Tensor.From(null!, [1f], new Shape(1)));
        Refuses("device", () => new Tape(null!).Dispose());
        Refuses("source", () => x.CopyFrom((Tensor)null!));
        Refuses("other", () => x.Accumulate(null!));
        Refuses("tensor", () => arena.Keep(null!));
        Refuses("name", () => Device.Open(null!));
        tape.Record();
        Refuses("loss", () => tape.Backward(null!));
        tape.Record();
        x.Scale(2);
        Refuses("output", () => tape.Backward(null!, x));
        tape.Record();
        var y = x.Scale(2);
        Refuses("gradient", () => tape.Backward(y, null!));

        static void Refuses(string name, Action call) =>
            Assert.That(call, Throws.ArgumentNullException.With.Property("ParamName").EqualTo(name));
    }

    [TestCaseSource(nameof(Names))]
    public void AfterTheDevice_IsRefused(string name)
    {
        var device = Open("cpu");
        object?[] arguments = Calls(name)(device);
        device.Dispose();
        Assert.That(() => Invoke(name, arguments),
            Throws.InstanceOf<ObjectDisposedException>().With.Message.Contains("Device cpu has been disposed"));
    }

    [TestCaseSource(nameof(Names))]
    public void FittingOperands_Work(string name)
    {
        using var device = Open("cpu");
        using var arena = device.BeginArena();
        Assert.That(() => Invoke(name, Calls(name)(device)), Throws.Nothing);
    }

    [Test]
    public void TensorsAndTapes_RefuseAnotherDevice()
    {
        using Device here = Open("cpu"), there = Open("cpu:debug");
        using Arena a = here.BeginArena(), b = there.BeginArena();
        Tensor x = One(here, 3), other = One(there, 3);
        Assert.That(() => x.CopyFrom(other), Throws.ArgumentException.With.Message.Contains("cpu:debug"));
        Assert.That(() => x.Accumulate(other), Throws.ArgumentException.With.Message.Contains("cpu:debug"));
        using var tape = new Tape(here);
        x.RequiresGrad = true;
        tape.Record();
        var y = x.Scale(2);
        Assert.That(() => tape.Backward(y, other), Throws.ArgumentException.With.Message.Contains("cpu:debug"));
    }

    private static Func<Device, object?[]> Calls(string name)
    {
        Assert.That(calls.Keys, Does.Contain(name), "an op needs a call here");
        return calls[name];
    }

    private static IEnumerable<int> TensorsOf(string name, Device device)
    {
        object?[] arguments = Calls(name)(device);
        return Enumerable.Range(0, arguments.Length).Where(i => arguments[i] is Tensor);
    }

    private static void Invoke(string name, object?[] arguments)
    {
        if (name.StartsWith("ConcatOp", StringComparison.Ordinal)) // spans do not go through reflection
            ConcatOp.Concat(0, (Tensor)arguments[0]!, (Tensor)arguments[1]!);
        else if (name.StartsWith("RecomputeOp", StringComparison.Ordinal))
            ((Tensor)arguments[0]!).Recompute(0, static (x, _) => x.Scale(2));
        else
            Methods[name].Invoke(null, BindingFlags.DoNotWrapExceptions, null, arguments, null);
    }

    private static Device Open(string name) => Device.Open(name, new DeviceOptions { Threads = 1 });

    private static Tensor One(Device device, params int[] sizes)
    {
        var tensor = Tensor.Zeros(device, Shape.Of(sizes));
        tensor.Fill(1);
        return tensor;
    }
}
