"""What each check measures of whole bundles, from 1,000 to 50,000 streamlines: to be told from samples of them.

``python tests/helpers/whole_bundles.py`` writes it anew into the table beside it, with samples as large as the bundles.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import checking
import nibabel as nib
import numpy as np
import phantoms

from tractcap.checks import checks
from tractcap.checks.common.check_definition import CheckFile
from tractcap.records.check_sidecar import Value

COUNTS = (1_000, 2_000, 10_000, 50_000)

TABLE = Path(__file__).with_suffix(".json")

NAMES = ("shape", "profile", "segments", "atlas", "before", "sides")
"""Of checks; cluster confidence of whole bundles takes so long that it has a table of its own."""


def bundle(count: int) -> phantoms.Streamlines:
    """Arcs of many lengths, bends, and numbers of points, which stray unevenly; one in 25 is there twice.

    Those of a larger bundle begin with those of a smaller one.
    """
    return list(_arcs(count))


def _arcs(count: int) -> Iterator[np.ndarray]:
    random, last = np.random.default_rng(7), np.zeros((2, 3), np.float32)
    for number in range(count):
        angle, radius, points = random.uniform(0.6, 2.8), random.lognormal(3.3, 0.35), int(random.integers(12, 50))
        t = np.linspace(-angle / 2, angle / 2, points) + random.normal(0, 0.2)
        away = random.standard_t(4, 3) * 4
        arc = np.stack([-30 + radius * (np.cos(t) - 1), 1.2 * radius * np.sin(t), 6 * t], axis=1)
        last = last if number % 25 == 24 else (arc + away).astype(np.float32)
        yield last


def given(folder: Path, count: int) -> tuple[Path, dict[str, object]]:
    """A bundle, and all that it may be checked with."""
    path = phantoms.save(folder / "AF_L.tck", bundle(count))
    affine = phantoms.affine()
    place = np.stack(np.meshgrid(*map(np.arange, (91, 109, 91)), indexing="ij"), axis=-1) @ affine[:3, :3].T
    x, y, z = np.moveaxis(place + affine[:3, 3], -1, 0)
    values = (0.4 + 0.2 * np.sin(y / 20) + 0.004 * (x + 30) + 0.01 * np.abs(z)).astype(np.float32)
    values[y > 25] = np.nan
    nib.save(nib.Nifti1Image(values, affine), folder / "fa.nii.gz")
    head = phantoms.save_head(folder / "head.nii.gz")
    beside = [one[: len(one) * 3 // 4] + np.float32(4) for one in bundle(1_500)]
    other = CheckFile(str(phantoms.save(folder / "other.tck", beside)))
    image = CheckFile(str(folder / "fa.nii.gz"), voxels=values.size)
    return path, {
        "maps": {"FA": image}, "reference": CheckFile(str(head), voxels=10**6), "atlas": other, "before": other,
        "mirror": other, "hemisphere": "L",
    }  # fmt: skip


def measured(folder: Path, count: int, most: int) -> dict[str, dict[str, Value]]:
    """What all checks measure of a bundle by samples of so many streamlines, without pictures."""
    path, beside = given(folder, count)
    with ExitStack() as stack:
        stack.enter_context(checking.no_pictures())
        stack.enter_context(patch("tractcap.checks.common.sample.MOST_STREAMLINES", most))
        stack.enter_context(patch("tractcap.checks.common.sample.MOST_POINTS", 10**8))
        stack.enter_context(patch("tractcap.checks.common.pairwise_distances.MOST", 10**12))
        return {name: checking.make(name, folder / "out", path, **beside)[0].measures for name in NAMES}


def main() -> None:
    found = {}
    ends = ("Low", "High", "Sampled", "Similarity")
    for count in COUNTS:
        with (
            tempfile.TemporaryDirectory() as folder,
            patch("tractcap.checks.atlas.shape_similarity", lambda *_: 0.0),
        ):
            told = measured(Path(folder), count, count)  # similarity takes time that grows with the square
        found[str(count)] = {
            name: {key: value for key, value in one.items() if not key.endswith(ends)} for name, one in told.items()
        }
        sys.stderr.write(f"{count}\n")
    TABLE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    assert set(NAMES) == set(checks()) - {"cci"}
    main()
