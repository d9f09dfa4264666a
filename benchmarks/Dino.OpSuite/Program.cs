using System.Diagnostics;
using System.Globalization;
using Dino.Tensors.Tests;
using NUnit.Framework.Api;
using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

namespace Dino.OpSuite;

/// <summary>
/// <c>Dino.OpSuite DEVICE [SECONDS]</c>: runs the op suite on a device, names what fails, and ends with a line that counts. After so many
/// seconds it stops and says so.
/// </summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        if (arguments.Length is < 1 or > 2)
        {
            Console.Error.WriteLine("Dino.OpSuite DEVICE [SECONDS]");
            return 2;
        }
        Environment.SetEnvironmentVariable("DINO_TEST_DEVICES", arguments[0]);
        double seconds = arguments.Length == 2 ? double.Parse(arguments[1], CultureInfo.InvariantCulture) : double.PositiveInfinity;

        var watch = Stopwatch.StartNew();
        var runner = new NUnitTestAssemblyRunner(new DefaultTestAssemblyBuilder());
        runner.Load(typeof(OpenedDeviceTests).Assembly, new Dictionary<string, object> { ["NumberOfTestWorkers"] = 0 });
        runner.RunAsync(new FailureListener(), TestFilter.FromXml("<filter><cat>Device</cat></filter>"));
        bool stopped = false;
        while (!runner.WaitForCompletion(200))
        {
            if (stopped || watch.Elapsed.TotalSeconds < seconds)
                continue;
            stopped = true;
            runner.StopRun();
        }
        var result = runner.Result!;
        Console.WriteLine(
            $"{arguments[0]}: {result.PassCount} passed, {result.FailCount} failed, {result.InconclusiveCount + result.SkipCount} "
                + $"without a result"
            + $"{(stopped ? $", stopped after {seconds} s" : "")}; {watch.Elapsed.TotalSeconds:F0} s");
        return result.FailCount == 0 && result.PassCount > 0 ? 0 : 1;
    }

    private sealed class FailureListener : ITestListener
    {
        public void TestFinished(ITestResult result)
        {
            if (!result.Test.IsSuite && result.ResultState.Status == TestStatus.Failed)
                Console.WriteLine($"FAILED {result.FullName}: {result.Message.ReplaceLineEndings(" ")}");
        }

        public void TestStarted(ITest test)
        {
        }

        public void TestOutput(TestOutput output)
        {
        }

        public void SendMessage(TestMessage message)
        {
        }
    }
}
