"""Every action of a worker shows signs of life as it goes on, so that a time limit ends what hangs and nothing else."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import outputs
import phantoms
import pytest

from tractcap.inputs.reading import listen
from tractcap.records.options import Coloring
from tractcap.work.actions import ACTIONS

LOOK = {"vtk_space": "", "images": []}


def many_headers(root: Path) -> tuple[dict[str, Any], int]:
    paths = [str(phantoms.save(root / f"{number}.tck", phantoms.straight_bundle(2))) for number in range(20)]
    return {**LOOK, "paths": paths}, 20


def an_image(root: Path) -> tuple[dict[str, Any], int]:
    """Read some slices at a time, for its window and for what is shown."""
    return {"path": str(phantoms.save_head(root / "t1.nii", voxel=1.0))}, 2 * (182 * 218 * 182 // 2**20)


def a_tractogram(root: Path) -> tuple[dict[str, Any], int]:
    path = phantoms.save(root / "a.trk", [np.zeros((90, 3), np.float32)] * 100)
    return {"path": str(path), "vtk_space": "", "max_points": 900, "coloring": Coloring().plain()}, 10


def records(root: Path) -> tuple[dict[str, Any], int]:
    for number in range(20):
        outputs.Output(root).add(f"Bundle{number}")
    return {"output": str(root), "participant": "01"}, 20


@pytest.fixture
def heard() -> Iterator[list[object]]:
    signs: list[object] = []
    listen(signs.append)
    yield signs
    listen(lambda _path: None)


@pytest.mark.parametrize(
    ("action", "prepared"),
    [("look", many_headers), ("outline", an_image), ("measure", a_tractogram), ("page", records), ("group", records)],
)
def test_more_work_gives_more_signs(
    tmp_path: Path, heard: list[object], action: str, prepared: Callable[[Path], tuple[dict[str, Any], int]]
) -> None:
    arguments, least = prepared(tmp_path)
    if action == "group":
        del arguments["participant"]
    ACTIONS[action](**arguments, report=heard.append)
    assert len(heard) >= least
