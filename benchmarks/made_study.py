"""Makes an output as participants' runs leave it, of any size, to measure the group level: records without pictures.

python benchmarks/made_study.py OUTPUT PARTICIPANTS [BUNDLES]

The records are those of the demo's bundles, which are drawn once, with other names and numbers, written as tractcap
writes them; participants' pages are placeholders. One in 500 failed, one in 500 is missing, one in 300 has odd numbers;
participants.tsv has 22 sites, which differ a little. The demo is drawn into OUTPUT-demo, and the first participant has
links to its pictures.
"""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tractcap.records import tractogram_sidecar
from tractcap.records.sidecar_fields import BUNDLE, FAILED, THIS_PROGRAM, BundleRecord
from tractcap.records.tractogram_sidecar import DrawnRecord, UndrawnRecord

_SITES = 22
_SPREAD = {"streamlines": 0.25, "lengths": 0.06, "volume": 0.15}
"""Relative standard deviations between participants."""


def make(output: Path, participants: int, bundles: int = 72) -> None:
    """Write ``participants`` x ``bundles`` records below ``output``, and its participants.tsv."""
    demo = output.with_name(f"{output.name}-demo")
    command = [sys.executable, "-m", "tractcap", "demo", demo, "participant", "--size", "200"]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    models = list(_models(demo / "sub-1/figures"))
    chance = random.Random(1)  # noqa: S311
    lines = ["participant_id\tsite"]
    for number in range(1, participants + 1):
        label, site = f"{number:05d}", number % _SITES
        lines.append(f"sub-{label}\tsite{site:02d}")
        folder = output / f"sub-{label}/figures"
        folder.mkdir(parents=True, exist_ok=True)
        for at in range(bundles):
            if chance.random() < 1 / 500:
                continue
            record = _varied(models[at % len(models)], label, at, 1 + (site - _SITES / 2) / 100, chance)
            (folder / f"{record.title}.json").write_text(record.text())  # without fsync: a million of these
            if number == 1 and isinstance(record, DrawnRecord):
                _link_pictures(demo / "sub-1/figures", models[at % len(models)], folder, record)
        count = len(list(folder.glob("*.json")))  # so that level group takes the page for up to date
        (output / f"sub-{label}.html").write_text(f'<meta name="records" content="{count}"><p>A made participant.</p>')
    (output / "participants.tsv").write_text("\n".join([*lines, ""]))


def _models(folder: Path) -> Iterator[DrawnRecord]:
    for path in sorted(folder.glob("*.json")):
        if "_check-" not in path.name:
            record = tractogram_sidecar.load(path)
            if isinstance(record, DrawnRecord) and record.kind == BUNDLE:
                yield record


def _varied(model: DrawnRecord, label: str, at: int, site: float, chance: random.Random) -> DrawnRecord | UndrawnRecord:
    name = f"{model.bundle.key}{at:02d}"
    stem = f"sub-{label}_bundle-{name}"
    told = {
        "participant": label,
        "session": "",
        "title": stem,
        "bundle": BundleRecord(
            key=name, readable=f"{model.bundle.readable} {at:02d}", hemisphere=model.bundle.hemisphere
        ),
        "sources": (f"sub-{label}/dwi/{stem}_tractogram.trk",),
        "source_bytes": (1_234_567,),
        "source_modified": (1_700_000_000_123_456_789,),
        "generated_by": (THIS_PROGRAM,),
    }
    if chance.random() < 1 / 500:
        return UndrawnRecord(
            status=FAILED, why=f"{stem}_tractogram.trk ends within a streamline: copy it again.", **told
        )
    odd = chance.choice((0.2, 3.0)) if chance.random() < 1 / 300 else 1.0
    count, length, volume = (site * odd * max(0.05, chance.gauss(1, sd)) for sd in _SPREAD.values())
    old, most = model.lengths, model.title
    lengths = replace(
        old, **{key: (getattr(old, key) or 0) * length for key in ("mean", "median", "minimum", "maximum")}
    )
    return replace(
        model,
        streamlines=int(model.streamlines * count) + 50,
        streamlines_drawn=int(model.streamlines * count) + 50,
        lengths=lengths,
        volume_millimetres3=(model.volume_millimetres3 or 0) * volume,
        pictures=tuple(picture.replace(most, stem, 1) for picture in _pictures(model)),
        **told,
    )


def _pictures(model: DrawnRecord) -> tuple[str, ...]:
    stem = model.pictures[0].rpartition("_")[0]
    return tuple(model.title + picture.removeprefix(stem) for picture in model.pictures)


def _link_pictures(demo: Path, model: DrawnRecord, folder: Path, record: DrawnRecord) -> None:
    for theirs, ours in zip(model.pictures, record.pictures, strict=True):
        if not (folder / ours).exists():
            (folder / ours).symlink_to(os.path.relpath(demo / theirs, folder))


if __name__ == "__main__":
    make(Path(sys.argv[1]), *map(int, sys.argv[2:]))
