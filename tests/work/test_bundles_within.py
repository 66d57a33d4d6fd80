"""Bundles within one file have pictures, checks, cards and rows of their own, as if each were in a file."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dsi_studio
import numpy as np
import packings
import phantoms
import pytest
from PIL import Image

from tractcap.inputs.filters import Filters
from tractcap.inputs.matching_images import MatchingImages
from tractcap.inputs.search import search
from tractcap.work.check_files import CheckOptions, ComparisonFinder

LEFT, RIGHT = (
    [(one * 16).round() / 16 * [side, 1, 1] for one in phantoms.asymmetric_bundle(12, seed=2)] for side in (1, -1)
)
STRAY = [np.linspace([0, -80, 0], [0, 80, 0], 81)]
EVERYTHING = [one.astype("f4") for one in (*LEFT, *RIGHT, *STRAY)]


def trx(folder: Path) -> Path:
    groups = {"AF_L": list(range(12)), "AF_R": list(range(12, 24)), "CST_L": []}
    return phantoms.save_trx(folder / "all.trx", EVERYTHING, groups=groups)


def tt(folder: Path) -> Path:
    (folder / "all.tt.gz.txt").write_text("AF_L\nAF_R\nCST_L\n")
    clusters = np.repeat(np.array([0, 1, 5], "u2"), [12, 12, 1])[:, None]
    return dsi_studio.save(folder / "all.tt.gz", {**dsi_studio.matrices(EVERYTHING), "cluster": clusters})


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tractcap", *map(str, arguments), "--size", "80", "--views", "left,superior"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def records(out: Path) -> dict[str, dict[str, Any]]:
    found = {path.name: json.loads(path.read_text()) for path in out.glob("sub-1/figures/*.json")}
    return {name: one for name, one in found.items() if "Sources" in one and "Check" not in one}


@pytest.mark.parametrize("write", [trx, tt])
def test_each_is_drawn_checked_and_shown_and_so_are_all_together(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    """With the same pixels as in files of their own; one that has no streamlines is empty."""
    inside, apart, out, other = (tmp_path / name for name in ("in/sub-1", "apart/sub-1", "out", "other"))
    for folder in (inside, apart):
        folder.mkdir(parents=True)
    file = write(inside)
    for name, streamlines in (("all", EVERYTHING), ("all_AF_L", LEFT), ("all_AF_R", RIGHT)):
        packings.trk(apart / f"{name}.trk", [one.astype("f4") for one in streamlines])
    options = ("participant", "--overview", "--checks", "shape")
    done, alone = run(tmp_path / "in", out, *options), run(tmp_path / "apart", other, *options)
    assert (done.returncode, alone.returncode) == (0, 0), done.stderr + alone.stderr
    assert f"{file}/CST_L holds no streamlines" in done.stderr
    told = records(out)
    name = f"sub-1/{file.name}"
    assert {one["Title"]: one.get("StreamlinesDrawn") for key, one in told.items() if "overview" not in key} == {
        "sub-1 all": 25, "sub-1 all_AF_L": 12, "sub-1 all_AF_R": 12, "sub-1 all_CST_L": None,
    }  # fmt: skip
    assert told["all_AF_L.json"]["Sources"] == [f"{name}/AF_L"]
    overview = told["sub-1_desc-overview.json"]
    assert overview["Sources"] == [f"{name}/AF_L", f"{name}/AF_R"], "the file itself would hide its bundles"
    for key, one in records(other).items():
        if "overview" not in key:
            assert told[key]["Lengths"] == one["Lengths"]
            for picture in one["Pictures"]:
                theirs, ours = (np.asarray(Image.open(at / "sub-1/figures" / picture)) for at in (other, out))
                np.testing.assert_array_equal(theirs, ours, picture)
    assert len(list(out.glob("sub-1/figures/all_AF_?_check-shape.json"))) == 2
    page = (out / "sub-1.html").read_text()
    assert page.count("<article") == 1 + (other / "sub-1.html").read_text().count("<article")
    assert run(tmp_path / "in", out, "group").returncode == 0
    rows = [line.split("\t") for line in (out / "group_tractograms.tsv").read_text().splitlines()[1:]]
    assert sorted((row[5], row[6], row[2]) for row in rows) == [
        (name, "drawn", "all"),
        (f"{name}/AF_L", "drawn", "ArcuateFasciculus_L"),
        (f"{name}/AF_R", "drawn", "ArcuateFasciculus_R"),
        (f"{name}/CST_L", "empty", "CorticospinalTract_L"),
    ]
    again = run(tmp_path / "in", out, *options).stderr
    assert "drew" not in again, "all is kept"


def test_one_that_is_damaged_costs_itself_alone(tmp_path: Path) -> None:
    """Its group names a streamline that there isn't."""
    (tmp_path / "in/sub-1").mkdir(parents=True)
    phantoms.save_trx(tmp_path / "in/sub-1/all.trx", EVERYTHING, groups={"AF_L": [0, 1], "AF_R": [99]})
    done = run(tmp_path / "in", tmp_path / "out", "participant", "--checks", "none")
    assert done.returncode == 1, done.stderr
    assert "all.trx/AF_R: " in done.stderr
    assert "its groups/AF_R.uint32 names streamline 99" in done.stderr
    drawn = [one["Title"] for one in records(tmp_path / "out").values() if one.get("StreamlinesDrawn")]
    assert sorted(drawn) == ["sub-1 all", "sub-1 all_AF_L"]


def test_new_names_are_drawn_anew_and_the_file_itself_is_not(tmp_path: Path) -> None:
    (tmp_path / "in/sub-1").mkdir(parents=True)
    file = tt(tmp_path / "in/sub-1")
    options = (tmp_path / "in", tmp_path / "out", "participant", "--tract-label", "AF_L", "--checks", "none")
    assert run(*options).returncode == 0
    assert [one["Title"] for one in records(tmp_path / "out").values()] == ["sub-1 all_AF_L"]
    Path(f"{file}.txt").write_text("AF_R\nAF_L\nand more\n")
    assert "drew sub-1/all.tt.gz/AF_L: 12 streamlines" in run(*options).stderr
    (record,) = records(tmp_path / "out").values()
    assert record["Extent"]["low"][0] > 0, "now it is what lies on the right"


@pytest.mark.parametrize("option", ["atlas", "before"])
@pytest.mark.parametrize("write", [trx, tt])
def test_bundles_are_compared_with_those_within_a_file(
    tmp_path: Path, write: Callable[[Path], Path], option: str
) -> None:
    (tmp_path / "atlas").mkdir()
    (tmp_path / "in").mkdir()
    file = write(tmp_path / "atlas")
    for name in ("AF_left", "AF_right", "UF_left"):
        (tmp_path / "in" / f"{name}.trk").touch()
    for given in (file, file.parent):
        sources = search(tmp_path / "in", Filters()).sources
        found = ComparisonFinder(CheckOptions(**{option: given})).find(sources, MatchingImages(()))
        compared = {source.stem: getattr(files, option) for source, files in found.items()}
        assert {stem: other and other.path for stem, other in compared.items()} == {
            "AF_left": file / "AF_L", "AF_right": file / "AF_R", "UF_left": None,
        }  # fmt: skip
