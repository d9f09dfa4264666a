using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Golden;

/// <summary>The judge itself: it must catch what is wrong and let pass what golden.json lets pass.</summary>
[Category("Golden")]
public class GoldenSetTests
{
    [Test]
    public void Check_TakesTheValuesThemselves_AndCatchesOneThatIsOut()
    {
        var set = GoldenSet.Open("posembed");
        var tensor = set.Tensors.Values.First(t => !t.IsGiven && t.Type == "float32");
        float[] values = set.Floats(tensor.Name);
        Assert.That(set.Mismatch<float>(tensor.Name, values), Is.Null);

        values[3] += (float)(3 * (tensor.Tolerance.Absolute + tensor.Tolerance.Relative * Math.Abs(values[3])) + 1e-6);

        Assert.That(set.Mismatch<float>(tensor.Name, values),
            Does.Contain($"posembed/{tensor.Name}").And.Contain("1 of").And.Contain("[3]"));
        Assert.That(set.Mismatch<float>(tensor.Name, values, scale: 1e6), Is.Null);
        values[3] = float.NaN;
        Assert.That(set.Mismatch<float>(tensor.Name, values, scale: 1e6), Does.Contain("[3]: NaN"));
        Assert.That(set.Mismatch<float>(tensor.Name, values.AsSpan(1)), Does.Contain($"{values.Length - 1} values"));
    }

    [Test]
    public void Check_LooksPastTheRowsToIgnore_AndNoOthers()
    {
        var set = GoldenSet.Open("trace");
        var tensor = set.Tensors.Values.First(t => t.IgnoreRows is not null);
        var (first, end) = (tensor.IgnoreRows!.Value.Start.Value, tensor.IgnoreRows.Value.End.Value);
        float[] values = set.Floats(tensor.Name);

        for (int i = first; i < end; i++)
            values[i] = 1e6f;
        Assert.That(set.Mismatch<float>(tensor.Name, values), Is.Null);

        values[end] = 1e6f;
        Assert.That(set.Mismatch<float>(tensor.Name, values), Does.Contain($"[{end}]"));
    }

    [Test]
    public void Check_AllowsTheStatedShareToBeOut()
    {
        var set = GoldenSet.Open("augment");
        var tensor = set.Tensors.Values.First(t => t.MaxMismatchFraction > 0 && t.Type == "uint8");
        byte[] values = set.Bytes(tensor.Name);
        int allowed = (int)(tensor.MaxMismatchFraction * values.Length);

        for (int i = 0; i < allowed; i++)
            values[i] ^= 0x80;
        Assert.That(set.Mismatch<byte>(tensor.Name, values), Is.Null);

        values[allowed] ^= 0x80;
        Assert.That(set.Mismatch<byte>(tensor.Name, values), Does.Contain($"{allowed + 1} of"));
    }

    [Test]
    public void WhatIsMissing_IsAnError()
    {
        Assert.That(() => GoldenSet.Open("no such set"), Throws.InvalidOperationException);
        Assert.That(() => GoldenSet.Open("posembed")["no such tensor"], Throws.InvalidOperationException);
    }
}
