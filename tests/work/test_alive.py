"""Every action of a worker shows signs of life as it goes on, so that a time limit ends what hangs and nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import outputs
import phantoms
import pytest
import sample_requests

from tractcap.inputs.reading import listen
from tractcap.records.worker_requests import FindOutline, ReadHeaders, Request, WriteGroup, WritePage
from tractcap.work.worker_actions import ACTIONS


def many_headers(root: Path) -> tuple[Request[Any], int]:
    paths = [str(phantoms.save(root / f"{number}.tck", phantoms.straight_bundle(2))) for number in range(20)]
    return ReadHeaders(tuple(paths), (), ""), 20


def an_image(root: Path) -> tuple[Request[Any], int]:
    """Read some slices at a time, for its window and for what is shown."""
    return FindOutline(str(phantoms.save_head(root / "t1.nii", voxel=1.0))), 2 * (182 * 218 * 182 // 2**20)


def a_tractogram(root: Path) -> tuple[Request[Any], int]:
    path = phantoms.save(root / "a.trk", [np.zeros((90, 3), np.float32)] * 100)
    return replace(sample_requests.measure(path), max_points=900), 10


def page(root: Path) -> tuple[Request[Any], int]:
    for number in range(20):
        outputs.Output(root).add(f"Bundle{number}")
    return WritePage(str(root), "01"), 20


def group(root: Path) -> tuple[Request[Any], int]:
    page(root)
    return WriteGroup(str(root)), 20


@pytest.fixture
def heard() -> Iterator[list[object]]:
    signs: list[object] = []
    listen(signs.append)
    yield signs
    listen(lambda _path: None)


@pytest.mark.parametrize("prepared", [many_headers, an_image, a_tractogram, page, group])
def test_more_work_gives_more_signs(
    tmp_path: Path, heard: list[object], prepared: Callable[[Path], tuple[Request[Any], int]]
) -> None:
    request, least = prepared(tmp_path)
    ACTIONS[request.action](request, heard.append)
    assert len(heard) >= least
