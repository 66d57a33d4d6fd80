"""Cluster confidence of whole bundles by dipy's own function, from 1,000 to 50,000 streamlines: known answers.

``python tests/helpers/cluster_confidence.py`` writes them anew into the table beside it. That takes half an hour:
dipy compares each streamline with every other one.
"""

import sys
from pathlib import Path

import numpy as np

COUNTS = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000)

WIDTHS = {"dense": lambda count: 18.0, "at the threshold": lambda count: 26 * (count / 10_000) ** (1 / 3)}
"""mm that streamlines stray, by their number: nearly all of the dense ones have support, more the more there are; of
the others, about half lie near an index of 1 whatever their number."""

TABLE = Path(__file__).with_suffix(".tsv")

COLUMNS = ("bundle", "count", "width_mm", "retention", "mean", "median")


def bundle(count: int, width: float) -> list[np.ndarray]:
    """Arcs of the same form that stray from each other."""
    t = np.linspace(0, np.pi, 12)
    arc = np.c_[40 * np.cos(t), 0 * t, 35 * np.sin(t)]
    random = np.random.default_rng(0)
    return [(arc + random.normal(0, width, 3)).astype(np.float32) for _ in range(count)]


def known() -> list[dict[str, float | str]]:
    """The rows of the table."""
    rows = [line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]]
    return [{"bundle": name, **dict(zip(COLUMNS[1:], map(float, rest), strict=True))} for name, *rest in rows]


def main() -> None:
    from dipy.tracking.streamline import cluster_confidence

    lines = ["\t".join(COLUMNS)]
    for name, wide in WIDTHS.items():
        for count in COUNTS:
            found = cluster_confidence(bundle(count, wide(count)), subsample=12)
            about = (found >= 1).mean(), found.mean(), np.median(found)
            lines.append("\t".join([name, str(count), f"{wide(count):.6f}", *(f"{one:.6f}" for one in about)]))
            sys.stderr.write(lines[-1] + "\n")
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
