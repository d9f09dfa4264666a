"""Times torchvision's and Pillow's multi-crop pipeline on the pictures of a folder, in one thread.

    python3 crops_peer.py SCRIPT FOLDER [--seconds 5] --json

SCRIPT has the pipeline: a function throughput(paths, workers, seconds, repeats, batch) that gives images/s and images per CPU-second,
and procedural_jpeg(seed), which makes the pictures. A FOLDER that does not exist is filled with 48 of them, so that other programs can
read the very same files. Needs torch, torchvision, Pillow and NumPy.
"""
import argparse
import json
import pathlib
import resource
import runpy

import torch

WARMUP_SECONDS = 2


def fill(folder, procedural_jpeg, count=48):
    folder.mkdir(parents=True)
    for seed in range(count):
        (folder / f"{seed:04d}.jpg").write_bytes(procedural_jpeg(seed))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("script")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--json", action="store_true", help="the only form of the report")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    peer = runpy.run_path(arguments.script)
    if not arguments.folder.exists():
        fill(arguments.folder, peer["procedural_jpeg"])
    paths = sorted(map(str, arguments.folder.glob("*.jpg")))
    peer["throughput"](paths, 0, WARMUP_SECONDS, 1, 4)
    rate, rate_of_core = peer["throughput"](paths, 0, arguments.seconds, 1, 4)
    print(json.dumps({
        "mode": "crops", "images": round(rate["median"] * arguments.seconds), "seconds": arguments.seconds,
        "images_per_s": rate["median"], "images_per_cpu_s": rate_of_core["median"],
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }))


if __name__ == "__main__":
    main()
