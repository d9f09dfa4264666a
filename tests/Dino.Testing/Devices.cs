using System.Collections.Concurrent;
using Dino.Tensors;
using NUnit.Framework;
using NUnit.Framework.Internal;

namespace Dino.Testing;

/// <summary>
/// The devices under test: those that the environment variable <c>DINO_TEST_DEVICES</c> names (separated by commas), otherwise the host,
/// simulated GPU threads, and the first GPU of each kind.
/// </summary>
/// <remarks>
/// A GPU that is absent makes its tests inconclusive, but one that was named fails them: who asks for a device wants it tested.
/// Each device is opened once a process and shared by all tests, so they must not run in parallel.
/// </remarks>
public static class Devices
{
    /// <summary>The category of every test that takes a device from here.</summary>
    public const string Category = "Device";

    private static readonly ConcurrentDictionary<string, Device> Opened = new();

    static Devices() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (var device in Opened.Values)
            device.Dispose();
    };

    /// <summary>Whether the devices were named, and none of them may be missing.</summary>
    public static bool AreNamed { get; } = Named().Length > 0;

    /// <summary>The names, as <see cref="Device.Open"/> takes them.</summary>
    public static IReadOnlyList<string> Names { get; } = AreNamed ? Named() : ["cpu", "cpu:debug", "opencl:0", "cuda:0"];

    /// <summary>
    /// For <c>[TestFixtureSource(typeof(Devices), nameof(Devices.Fixtures))]</c> on a class whose constructor takes a name.
    /// </summary>
    public static IEnumerable<TestFixtureData> Fixtures => Names.Select(Fixture);

    /// <summary>The same without simulated GPU threads, which take minutes over a whole model.</summary>
    public static IEnumerable<TestFixtureData> FastFixtures => Names.Where(name => name != "cpu:debug").Select(Fixture);

    /// <summary>For <c>[TestCaseSource(typeof(Devices), nameof(Devices.Cases))]</c> on a method that takes a name.</summary>
    public static IEnumerable<TestCaseData> Cases => Names.Select(name => Case(name));

    /// <summary>For sources of their own: a test case with the device's name last among its arguments.</summary>
    public static TestCaseData Case(string name, params object[] arguments) =>
        new TestCaseData([.. arguments, name]).SetCategory(Category);

    /// <summary>
    /// The shared device of this name, in strict mode (memory that was not written holds NaN). Ends the test as inconclusive when it is
    /// a GPU that nobody named and that is not there.
    /// </summary>
    public static Device Open(string name)
    {
        try
        {
            return Opened.GetOrAdd(name, static key => Device.Open(key, new DeviceOptions { Strict = true }));
        }
        catch (DeviceNotFoundException e) when (!AreNamed && !name.StartsWith("cpu", StringComparison.Ordinal))
        {
            Assert.Inconclusive(e.Message);
            throw;
        }
    }

    private static TestFixtureData Fixture(string name)
    {
        var fixture = new TestFixtureData(name);
        fixture.Properties.Add(PropertyNames.Category, Category);
        return fixture;
    }

    private static string[] Named() => (Environment.GetEnvironmentVariable("DINO_TEST_DEVICES") ?? "")
        .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

/// <summary>Tests that run once on each device under test: <c>class GeluTests(string device) : DeviceTests(device)</c>.</summary>
[TestFixtureSource(typeof(Devices), nameof(Devices.Fixtures))]
public abstract class DeviceTests(string device)
{
    private Device? opened;

    /// <summary>The device that this instance of the class tests.</summary>
    protected Device Device => opened ?? throw new InvalidOperationException("The device is opened when the tests begin.");

    /// <summary>Opens the device; when it is absent, no test of the class runs.</summary>
    [OneTimeSetUp]
    public void OpenDevice() => opened = Devices.Open(device);
}
