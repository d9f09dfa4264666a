using System.Runtime.CompilerServices;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class OpCoverageTests
{
    /// <summary>Every op class, <c>XOp</c>, for which there is to be an <c>XTests</c>: by its name, or by its methods of tensors.</summary>
    public static IEnumerable<Type> Ops => typeof(Tensor).Assembly.GetExportedTypes()
        .Where(t => t.Namespace == "Dino.Tensors.Ops"
            && (t.Name.EndsWith("Op", StringComparison.Ordinal) || t.IsDefined(typeof(ExtensionAttribute), inherit: false)));

    /// <summary>Every class of op cases.</summary>
    public static IEnumerable<Type> CaseClasses => typeof(OpCoverageTests).Assembly.GetTypes()
        .Where(t => t is { IsInterface: false, IsAbstract: false } && t.IsAssignableTo(typeof(IOpCases)));

    public static IEnumerable<OpCase> Cases =>
        CaseClasses.SelectMany(t => (IEnumerable<OpCase>)t.GetProperty(nameof(IOpCases.Cases))!.GetValue(null)!);

    [TestCaseSource(nameof(Ops))]
    public void Op_HasCases(Type op)
    {
        Assert.That(op.Name, Does.EndWith("Op"), "ops are named after what they do, with Op at the end");
        string tests = op.Name[..^2] + "Tests";
        Assert.That(CaseClasses.Select(t => t.Name), Does.Contain(tests),
            $"{op.Name} has no class {tests} with cases in tests/Dino.Tensors.Tests/Ops");
    }
}
