using Dino.Tensors.Ops;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Core;

/// <summary>A device serves one thread at a time: another gets an exception at once that says so, and nobody a wrong sum.</summary>
[TestFixture("cpu")]
[TestFixture("cpu:debug")]
public class ThreadTests(string name)
{
    [Test]
    public void DeviceWithAnOpenArena_BelongsToItsThread()
    {
        using var device = Open();
        Tensor x, lasting = Tensor.From(device, [1f, 2], new Shape(2));
        using (var arena = device.BeginArena())
        {
            x = Tensor.From(device, [1f, 2], new Shape(2));
            foreach (Action use in (Action[])[
                () => device.BeginArena(), () => Tensor.Zeros(device, new Shape(1)), () => x.Gelu(), () => x.Add(x), () => x.ToArray(),
                () => x.Fill(1), () => x.CopyFrom([1f, 2]), () => x.CopyFrom(lasting), () => x.Accumulate(lasting), x.Dispose,
                lasting.Dispose, arena.Dispose, () => x.Alias(new Shape(1)), () => new Tape(device).Record(), device.Synchronize,
                device.Dispose])
            {
                Assert.That(OnAnotherThread(use),
                    Is.TypeOf<InvalidOperationException>().With.Message.Contains("One thread at a time may use a device"));
            }
            Assert.That(x.ToArray(), Is.EqualTo(new float[] { 1, 2 }));
        }
        Assert.That(lasting.ToArray(), Is.EqualTo(new float[] { 1, 2 }));
    }

    [Test]
    public void DeviceWithAnOpenRecording_BelongsToItsThread()
    {
        using var device = Open();
        var x = Tensor.From(device, [1f, 2], new Shape(2));
        x.RequiresGrad = true;
        using var tape = new Tape(device);
        tape.Record();
        var loss = x.Sum();
        Assert.That(OnAnotherThread(() => x.Scale(2)), Is.TypeOf<InvalidOperationException>());
        Assert.That(OnAnotherThread(() => tape.Backward(loss)), Is.TypeOf<InvalidOperationException>());
        Assert.That(OnAnotherThread(tape.Dispose), Is.TypeOf<InvalidOperationException>());
        tape.Backward(loss);
        Assert.That(OnAnotherThread(() => x.Scale(2).Dispose()), Is.Null);
    }

    [Test]
    public void IdleDevice_MayPassFromThreadToThread()
    {
        using var device = Open();
        Tensor? x = null;
        for (int i = 0; i < 3; i++)
        {
            Assert.That(
                OnAnotherThread(() =>
                {
                    using var arena = device.BeginArena();
                    x?.Accumulate(Tensor.From(device, [1f], new Shape(1)));
                    x ??= arena.Keep(Tensor.From(device, [1f], new Shape(1)));
                }),
                Is.Null);
        }
        Assert.That(x!.Item(), Is.EqualTo(3));
    }

    [Test]
    public void ThreadThatEndedWithAnArenaOpen_LeavesTheDeviceToOthers()
    {
        using var device = Open();
        Assert.That(OnAnotherThread(() => device.BeginArena()), Is.Null);
        using var arena = device.BeginArena();
        Assert.That(Tensor.From(device, [2f], new Shape(1)).Item(), Is.EqualTo(2));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void TwoThreadsAtOnce_AreNeverWrong_AndEnd(bool arenas)
    {
        using var device = Open();
        Exception? foreign = null;
        int wrong = 0, right = 0, rounds = name == "cpu" ? 300 : 5;
        using var start = new Barrier(2);
        Thread[] threads = [.. Enumerable.Range(1, 2).Select(id => new Thread(() =>
        {
            float[] values = [.. Enumerable.Repeat((float)id, 2000)];
            start.SignalAndWait();
            for (int i = 0; i < rounds; i++)
            {
                try
                {
                    using var arena = arenas ? device.BeginArena() : null;
                    var x = Tensor.From(device, values, new Shape(20, 100));
                    float sum = x.Add(x).Sum().Item();
                    Interlocked.Increment(ref sum == 2f * id * 2000 ? ref right : ref wrong);
                }
                catch (InvalidOperationException)
                {
                }
                catch (Exception e)
                {
                    foreign = e;
                }
            }
        }))];
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        Assert.That((wrong, foreign), Is.EqualTo((0, (Exception?)null)));
        Assert.That(right, Is.Positive);
        using var after = device.BeginArena();
        Assert.That(Tensor.From(device, [1f, 2], new Shape(2)).Sum().Item(), Is.EqualTo(3));
    }

    private Device Open() => Device.Open(name, new DeviceOptions { Threads = 2 });

    private static Exception? OnAnotherThread(Action use)
    {
        Exception? thrown = null;
        var thread = new Thread(() =>
        {
            try
            {
                use();
            }
            catch (Exception e)
            {
                thrown = e;
            }
        });
        thread.Start();
        thread.Join();
        return thrown;
    }
}
