"""Pictures are as they were when they were looked at; the container's tests compare the image's with the same ones."""

import subprocess
import sys
from pathlib import Path

import golden
import numpy as np
import pytest
from PIL import Image


@pytest.mark.filterwarnings("default::golden.GoldenWarning")
@pytest.mark.parametrize("name", golden.CASES)
def test_golden(name: str, tmp_path: Path) -> None:
    bundle = golden.inputs(tmp_path / "in")
    call = [sys.executable, "-m", "tractcap", bundle, tmp_path / "out", "participant"]
    done = subprocess.run(
        [*call, *golden.options(name, str(tmp_path / "in"))], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    golden.check(name, tmp_path / "out/figures/bundle_mosaic.png")


def test_a_picture_that_is_flipped_or_moved_is_found(tmp_path: Path) -> None:
    picture = np.asarray(Image.open(golden.IMAGES / "plain.png"))
    for number, changed in enumerate((picture[:, ::-1], picture[::-1], np.roll(picture, 6, axis=1), picture // 2)):
        Image.fromarray(changed.copy()).save(tmp_path / f"{number}.png")
        worst, mean = golden.difference(tmp_path / f"{number}.png", golden.IMAGES / "plain.png")
        assert worst > golden.ERROR[0] or mean > golden.ERROR[1]
