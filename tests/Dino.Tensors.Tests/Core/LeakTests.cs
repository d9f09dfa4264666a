using Dino.Tensors.Ops;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Core;

/// <summary>A strict device says what seems forgotten, once; and the pool gives back what nobody has asked for in a long time.</summary>
public class LeakTests
{
    [Test]
    public void ArenasBegunAndNeverEnded_AreSaid()
    {
        List<string> said = [];
        using (var device = Strict(said))
        {
            for (int i = 0; i < 200; i++)
            {
                device.BeginArena();
                Tensor.Zeros(device, new Shape(10));
            }
            Assert.That(said, Has.Count.EqualTo(1).And.All.Contains("arenas are open"));
        }
        Assert.That(said, Has.Count.EqualTo(2));
        Assert.That(said[1], Does.Contain("200 arena(s) were never ended"));
    }

    [Test]
    public void TensorsOutsideAllArenas_AreSaid_WhenTheyPileUp()
    {
        List<string> said = [];
        using var device = Strict(said);
        for (int i = 0; i < 3000; i++)
            Tensor.Zeros(device, new Shape(1)).Dispose();
        for (int i = 0; i < 900; i++)
            Tensor.Zeros(device, new Shape(1));
        Assert.That(said, Is.Empty);
        for (int i = 0; i < 900; i++)
            Tensor.Zeros(device, new Shape(1));
        Assert.That(said, Has.Count.EqualTo(1).And.All.Contains("no arena was open"));
    }

    [Test]
    public void RecordingLeftOpen_IsSaid_WhenItsArenaEnds_OrItsDevice()
    {
        List<string> said = [];
        using (var device = Strict(said))
        {
            var tape = new Tape(device);
            using (device.BeginArena())
            {
                tape.Record();
                var x = Tensor.Zeros(device, new Shape(3));
                x.RequiresGrad = true;
                x.Gelu();
            }
            Assert.That(said, Has.Count.EqualTo(1).And.All.Contains("recording"));
        }
        Assert.That(said[^1], Does.Contain("recording was left open"));
    }

    [Test]
    public void OrdinaryWork_IsNotSaid()
    {
        List<string> said = [];
        using (var device = Strict(said))
        using (var tape = new Tape(device))
        {
            for (int i = 0; i < 300; i++)
            {
                using var step = device.BeginArena();
                var x = Tensor.Zeros(device, new Shape(3));
                x.RequiresGrad = true;
                tape.Record();
                Tensor y;
                using (var inner = device.BeginArena())
                    y = inner.Keep(x.Gelu());
                tape.Backward(y.Sum());
            }
        }
        Assert.That(said, Is.Empty);
    }

    [TestCase("cpu")]
    [TestCase("cpu:debug")]
    public void PoolGivesBack_WhatNobodyAsksForAnyMore(string name)
    {
        using var device = Device.Open(name, new DeviceOptions { Threads = 1 });
        using (device.BeginArena())
            Tensor.Zeros(device, new Shape(1 << 20));
        for (int i = 0; i < 200; i++)
            Step(device, 1000);
        Assert.That(device.Pool.AllocatedBytes, Is.LessThan(1 << 20));
        Assert.That(device.Pool.UsedBytes, Is.Zero);
        using var arena = device.BeginArena();
        Assert.That(Tensor.Zeros(device, new Shape(1 << 20)).Alias(new Shape(1), (1 << 20) - 1).Item(), Is.Zero);
    }

    [Test]
    public void PoolGivesBack_WithoutArenasToo()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Threads = 1 });
        Tensor.Zeros(device, new Shape(1 << 20)).Dispose();
        for (int i = 0; i < 500_000; i++)
            Tensor.Zeros(device, new Shape(1)).Dispose();
        Assert.That(device.Pool.AllocatedBytes, Is.LessThan(1 << 20));
    }

    [Test]
    public void SteadyStep_KeepsItsPieces_AndSmallRareOnes()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Threads = 1 });
        for (int i = 0; i < 1000; i++)
        {
            Step(device, 50_000);
            if (i % 500 == 0)
                Step(device, 1000); // as a log line now and then
        }
        Assert.That(device.Pool.Allocations, Is.EqualTo(2));
    }

    private static void Step(Device device, int count)
    {
        using var step = device.BeginArena();
        Tensor.Zeros(device, new Shape(count));
    }

    private static Device Strict(List<string> said) =>
        Device.Open("cpu", new DeviceOptions { Threads = 1, Strict = true, OnWarning = said.Add });
}
