"""Time and memory of each style, on one file, in one run: prints a Markdown table.

python benchmarks/styles.py [MB of the file that is made]
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/helpers"))
import large
import phantoms

STYLES = {
    "lines, six views": (),
    "tubes": ("--style", "tubes"),
    "opacity 0.3": ("--opacity", "0.3"),
    "slices and glass": ("--reference", "HEAD"),
    "nine views, three in a slice": ("--reference", "HEAD", "--views", "six,in-slice"),
    "end-to-end colours": ("--color", "endpoints"),
    "scalar map": ("--scalar", "T1=HEAD"),
    "position along the bundle": ("--color", "position"),
    "density": ("--color", "density"),
    "turntable, WebP": ("--animation", "webp"),
    "turntable, MP4": ("--animation", "mp4"),
}


def main() -> None:
    """Draw the same file in every style, one worker at a time."""
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        size = int(sys.argv[1]) if len(sys.argv) > 1 else 30
        file = large.write_trk(at / "a.trk", size * 2**20)
        head = str(phantoms.save_head(at / "head.nii.gz", voxel=1.0))
        print(f"| style ({size} MB, 800 pixels) | seconds | times the first | memory, MB |\n|---|---:|---:|---:|")  # noqa: T201
        first = 0.0
        for number, (name, options) in enumerate(STYLES.items()):
            placed = [one.replace("HEAD", head) for one in options]
            seconds, peak = _draw(file, at / str(number), placed)
            first = first or seconds
            print(f"| {name} | {seconds:.1f} | {seconds / first:.1f} | {peak >> 20} |", flush=True)  # noqa: T201


def _draw(file: Path, out: Path, options: list[str]) -> tuple[float, int]:
    begun = time.perf_counter()
    call = [sys.executable, "-m", "tractcap", file, out, "participant", "--nprocs", "1", *options]
    subprocess.run(call, check=True, capture_output=True)  # noqa: S603
    seconds = time.perf_counter() - begun
    lines = [json.loads(line) for path in (out / "logs").glob("*.jsonl") for line in path.read_text().splitlines()]
    return seconds, max(line["peak"] for line in lines if line["event"] == "drawn")


if __name__ == "__main__":
    main()
