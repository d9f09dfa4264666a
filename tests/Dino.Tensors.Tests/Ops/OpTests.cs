using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

/// <summary>What every op is held to. A derived class <c>XTests</c> lists the cases of <c>XOp</c> and adds what is the op's own.</summary>
public abstract class OpTests<TSelf> where TSelf : IOpCases
{
    public static IEnumerable<OpCase> All => TSelf.Cases;

    public static IEnumerable<OpCase> WithTruth => TSelf.Cases.Where(c => c.Truth is not null);

    public static IEnumerable<TestCaseData> OnDevices =>
        from device in Devices.Names where device != "cpu" from c in TSelf.Cases select Devices.Case(device, c);

    [TestCaseSource(nameof(All))]
    public void Gradient_AgreesWithFiniteDifferences(OpCase c) => OpCheck.Gradient(Devices.Open("cpu"), c);

    [TestCaseSource(nameof(All))]
    public void Gradients_AddUp(OpCase c) => OpCheck.Accumulation(Devices.Open("cpu"), c);

    [TestCaseSource(nameof(OnDevices))]
    public void Device_AgreesWithHost(OpCase c, string device) => OpCheck.Parity(Devices.Open("cpu"), Devices.Open(device), c);

    [TestCaseSource(nameof(WithTruth))]
    public void Output_AgreesWithFormulaInDouble(OpCase c) => OpCheck.Truth(Devices.Open("cpu"), c);
}
