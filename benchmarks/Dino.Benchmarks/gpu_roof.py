"""Measures with PyTorch what a GPU does at most in a large matrix product and in a copy.

    python3 gpu_roof.py [--device cuda] [--side 8192] [--repeats 20] --json
"""
import argparse
import json
import statistics
import time

import torch


def median_seconds(run, device, repeats):
    def wait():
        if device.type == "cuda":
            torch.cuda.synchronize()

    for _ in range(3):
        run()
    wait()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        wait()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--side", type=int, default=8192)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="the only form of the report")
    arguments = parser.parse_args()
    device, side = torch.device(arguments.device), arguments.side
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else arguments.device
    report = {"device": name}
    for precision in ("fp32", "tf32", "bf16"):
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        a = torch.randn(side, side, device=device, dtype=torch.bfloat16 if precision == "bf16" else torch.float32)
        b = torch.randn_like(a)
        seconds = median_seconds(lambda: a @ b, device, arguments.repeats)
        report[precision + "_gflops"] = 2 * side**3 / seconds / 1e9
    a = torch.randn(side * side, device=device)
    b = torch.empty_like(a)
    report["copy_gb_s"] = 8 * side**2 / median_seconds(lambda: b.copy_(a), device, arguments.repeats) / 1e9
    print(json.dumps(report))


if __name__ == "__main__":
    main()
