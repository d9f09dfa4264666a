using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Core;

[TestFixtureSource(typeof(Devices), nameof(Devices.Fixtures))]
public class UploadBufferTests(string name)
{
    private readonly Device device = Devices.Open(name);

    [Test]
    public void ARing_GivesTheDeviceEveryUpload_ThoughItWraps()
    {
        const int Rounds = 60, Length = 5000;
        using var arena = device.BeginArena();
        UploadBuffer[] ring = [new(device, Length + 7), new(device, Length + 7), new(device, Length + 7)];
        Tensor target = Tensor.Zeros(device, new Shape(Length)), sum = Tensor.Zeros(device, new Shape(Length));
        for (int round = 0; round < Rounds; round++)
        {
            var buffer = ring[round % ring.Length];
            buffer.Wait();
            for (int i = 0; i < Length; i++)
                buffer.Floats[i] = round * (i % 10);
            buffer.CopyTo(target);
            // More work for the device than for the host, which so comes to meet its own tail.
            using var round1 = device.BeginArena();
            var work = target.Add(sum);
            sum.CopyFrom(work);
        }
        foreach (var buffer in ring)
            buffer.Dispose();

        float rounds = Rounds * (Rounds - 1) / 2;
        Assert.That(sum.ToArray(), Is.EqualTo(Enumerable.Range(0, Length).Select(i => rounds * (i % 10))));
    }

    [Test]
    public void Uploads_NeitherWaitForTheDevice_NorAllocate()
    {
        const int Count = 40;
        var ring = Enumerable.Range(0, Count).Select(_ => new UploadBuffer(device, 1000)).ToArray();
        using var target = Tensor.Zeros(device, new Shape(1000));
        ring[0].CopyTo(target);
        device.Synchronize();
        long waits = device.Waits, managed = GC.GetAllocatedBytesForCurrentThread();
        foreach (var buffer in ring)
        {
            buffer.Floats.Fill(3);
            buffer.CopyTo(target);
        }
        managed = GC.GetAllocatedBytesForCurrentThread() - managed;

        Assert.That(device.Waits, Is.EqualTo(waits));
        Assert.That(managed / Count, Is.LessThanOrEqualTo(512));
        device.Synchronize();
        Assert.That(ring.Select(buffer => buffer.IsBusy), Is.All.False);
        foreach (var buffer in ring)
            buffer.Dispose();
        Assert.That(target.ToArray(), Is.All.EqualTo(3));
    }

    [Test]
    public void WholeNumbers_AreUploadedAsTheyAre()
    {
        using var arena = device.BeginArena();
        using var buffer = new UploadBuffer(device, 3);
        var target = Tensor.Empty(device, new Shape(2), DType.Int32);
        ((int[])[int.MinValue, 7, 9]).CopyTo(buffer.Ints);
        buffer.CopyTo(target);
        Assert.That(target.ToIntArray(), Is.EqualTo([int.MinValue, 7]));
    }

    [Test]
    public void Misuse_IsNamed()
    {
        var buffer = new UploadBuffer(device, 3);
        using var arena = device.BeginArena();
        Tensor four = Tensor.Zeros(device, new Shape(4)), two = Tensor.Zeros(device, new Shape(2));
        Assert.That(() => buffer.CopyTo(four), Throws.ArgumentException.With.Message.Contains("3 elements"));
        buffer.Dispose();
        buffer.Dispose();
        Assert.That(() => buffer.Floats.Length, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => buffer.CopyTo(two), Throws.TypeOf<ObjectDisposedException>());
    }
}
