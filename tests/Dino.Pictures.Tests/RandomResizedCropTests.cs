using Dino.Pictures.Transforms;
using Dino.Tensors.Random;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

public class RandomResizedCropTests
{
    [TestCase(1, 1)]
    [TestCase(1, 5000)]
    [TestCase(5000, 1)]
    [TestCase(3, 2)]
    [TestCase(500, 375)]
    public void The_box_lies_inside_the_picture(int width, int height)
    {
        var random = new PhiloxStream(1);
        for (int i = 0; i < 500; i++)
        {
            CropBox box = RandomResizedCrop.Draw(width, height, new CropScale(0.05, 1), ref random);
            Assert.That(box.Width > 0 && box.Height > 0 && box.Left >= 0 && box.Top >= 0, $"{box}");
            Assert.That(box.Left + box.Width <= width && box.Top + box.Height <= height, $"{box}");
        }
    }

    [Test]
    public void Area_and_ratio_are_spread_over_their_ranges()
    {
        var random = new PhiloxStream(2);
        var areas = new List<double>();
        for (int i = 0; i < 4000; i++)
        {
            CropBox box = RandomResizedCrop.Draw(1000, 1000, new CropScale(0.05, 0.4), ref random);
            areas.Add(box.Width * box.Height / 1e6);
            Assert.That((double)box.Width / box.Height, Is.InRange(0.745, 1.345));
        }
        Assert.That(areas, Is.All.InRange(0.0495, 0.4005));
        Assert.That(areas.Average(), Is.EqualTo(0.225).Within(0.007)); // 4 standard errors
    }

    [Test]
    public void Every_place_is_reached()
    {
        var random = new PhiloxStream(3);
        var places = new HashSet<(int, int)>();
        for (int i = 0; i < 2000; i++)
        {
            CropBox box = RandomResizedCrop.Draw(10, 10, new CropScale(0.81, 0.81), ref random);
            if (box is { Width: 9, Height: 9 })
                places.Add((box.Left, box.Top));
        }
        Assert.That(places, Is.EquivalentTo(new[] { (0, 0), (0, 1), (1, 0), (1, 1) }));
    }
}
