using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class OpCoverageTests
{
    /// <summary>Every op, for which there is to be a class of tests of its name.</summary>
    public static IEnumerable<Type> Ops => typeof(Tensor).Assembly.GetExportedTypes()
        .Where(t => t.Namespace == "Dino.Tensors.Ops" && t is { IsClass: true, IsAbstract: true, IsSealed: true }); // static

    /// <summary>Every class of op cases.</summary>
    public static IEnumerable<Type> CaseClasses => typeof(OpCoverageTests).Assembly.GetTypes()
        .Where(t => t is { IsInterface: false, IsAbstract: false } && t.IsAssignableTo(typeof(IOpCases)));

    public static IEnumerable<OpCase> Cases =>
        CaseClasses.SelectMany(t => (IEnumerable<OpCase>)t.GetProperty(nameof(IOpCases.Cases))!.GetValue(null)!);

    [TestCaseSource(nameof(Ops))]
    public void Op_HasTests(Type op)
    {
        string tests = (op.Name.EndsWith("Op", StringComparison.Ordinal) ? op.Name[..^2] : op.Name) + "Tests";
        Assert.That(typeof(OpCoverageTests).Assembly.GetTypes().Select(t => t.FullName), Does.Contain($"{GetType().Namespace}.{tests}"),
            $"{op.Name} has no class {tests} in tests/Dino.Tensors.Tests/Ops");
    }
}
