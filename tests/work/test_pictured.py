"""What pictures show and don't: strays and samples are said alike in picture, page, log and record."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import phantoms
import pytest
from PIL import Image

SMALL = ("--size", "160", "--views", "left,anterior")


def run(data: Path, out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tractcap", str(data), str(out), "participant", *SMALL, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def told(out: Path, name: str) -> dict[str, Any]:
    return dict(json.loads((out / f"sub-01/figures/{name}.json").read_text()))


def bundles(folder: Path, stray: tuple[float, float, float]) -> Path:
    """Two bundles of a participant, and one streamline of the second thrown away."""
    (folder / "sub-01").mkdir(parents=True)
    phantoms.save(folder / "sub-01/AF_L.trk", phantoms.asymmetric_bundle(200))
    streamlines = phantoms.asymmetric_bundle(300, seed=1)
    streamlines[17] = streamlines[17] + np.float32(stray)
    phantoms.save(folder / "sub-01/CST_L.trk", streamlines)
    return folder


@pytest.mark.parametrize("reference", [False, True])
def test_strays_are_said_everywhere_and_do_not_frame(tmp_path: Path, reference: bool) -> None:
    head = phantoms.save_head(tmp_path / "head.nii.gz")
    options = ("--reference", str(head)) if reference else ()
    out, plain = tmp_path / "out", tmp_path / "plain"
    done = run(bundles(tmp_path / "in", (0, 0, 2500)), out, *options)
    run(bundles(tmp_path / "ordinary", (0, 0, 0)), plain, *options)
    found, ordinary = told(out, "CST_L"), told(plain, "CST_L")
    frame, other = (np.array(one["Made"]["Frame"]) for one in (found, ordinary))
    assert np.abs(frame - other).max() <= (0 if reference else 1), "a frame without strays ends at a bit, else at a mm"
    assert told(out, "AF_L")["Made"]["Frame"] == found["Made"]["Frame"]
    away = found["Extent"]["high"][2] - frame[:, 2].mean() - found["MillimetresPerPixel"] * 160 / 2
    sentence = f"1 streamline lies wholly or partly outside of the picture, up to {np.ceil(away):,.0f} mm away"
    assert sentence in found["Notes"]
    assert sentence in done.stderr
    assert sentence in (out / "sub-01.html").read_text()
    with Image.open(out / "sub-01/figures/CST_L_mosaic.png") as picture:
        assert sentence in picture.info["Description"]
    assert found["StreamlinesOutsidePicture"] == 1
    assert found["Extent"]["high"][2] > 2400 > 200 > found["Extent"]["framed_high"][2]
    for one in (ordinary, told(out, "AF_L")):
        assert one["StreamlinesOutsidePicture"] == 0
        assert not any("outside of the picture" in note for note in one["Notes"])


def test_a_reference_says_where_a_head_ends(tmp_path: Path) -> None:
    """A streamline that ends 7 cm above it, which without a reference might be anatomy."""
    head = phantoms.save_head(tmp_path / "head.nii.gz")
    data = bundles(tmp_path / "in", (0, 0, 120))
    for name, options in (("with", ("--reference", str(head))), ("without", ())):
        run(data, tmp_path / name, *options)
    found, free = (told(tmp_path / name, "CST_L") for name in ("with", "without"))
    assert found["Made"]["Frame"] == [list(corner) for corner in found["Made"]["Reference"]["box"]]
    assert found["StreamlinesOutsidePicture"] == 1
    assert free["Made"]["Frame"][1][2] == free["Extent"]["high"][2] > 150
    assert free["StreamlinesOutsidePicture"] == 0


def test_a_bundle_beside_its_reference_is_framed_with_it(tmp_path: Path) -> None:
    """More than a few lie outside: it is the place that is wrong, which must be seen."""
    head = phantoms.save_head(tmp_path / "head.nii.gz")
    folder = tmp_path / "in/sub-01"
    folder.mkdir(parents=True)
    moved = [one + np.float32([0, 0, 120]) for one in phantoms.asymmetric_bundle(60)]
    phantoms.save(folder / "AF_L.trk", moved)
    run(tmp_path / "in", tmp_path / "out", "--reference", str(head))
    found = told(tmp_path / "out", "AF_L")
    assert found["Made"]["Frame"][1][2] == found["Extent"]["high"][2]
    assert found["StreamlinesOutsidePicture"] == 0


def test_a_range_of_a_sample_says_so_and_is_the_same_in_every_packing(tmp_path: Path) -> None:
    random, scales = np.random.default_rng(0), []
    lines = [line.astype("f4") for line in random.normal(0, 20, (9000, 50, 3))]
    values = [random.beta(2, 5, (50, 1)).astype("f4") for _ in lines]
    for name in ("plain.trk", "packed.trk.gz"):
        folder = tmp_path / name / "sub-01"
        folder.mkdir(parents=True)
        phantoms.save(folder / f"AF_L{name[name.index('.') :]}", lines, data_per_point={"fa": values})
        run(tmp_path / name, tmp_path / f"{name}-out", "--color", "data:fa", "--views", "left")
        found = told(tmp_path / f"{name}-out", "AF_L")
        (note,) = [one for one in found["Notes"] if "range" in one]
        assert "of 450,000, spread evenly over the file" in note
        picture = Image.open(tmp_path / f"{name}-out/sub-01/figures/AF_L_view-left.png").tobytes()
        scales.append((found["Colorings"][0]["limits"], note, picture))
    assert scales[0] == scales[1]
    assert scales[0][0] == pytest.approx(np.percentile(np.concatenate(values), (2, 98)), abs=0.002)


def test_what_is_coarse_so_far_away_is_said(tmp_path: Path) -> None:
    """A bundle of 2 mm that lies nine metres away, and one that fills a cube of two metres; each framed by itself."""
    folder, random = tmp_path / "in/sub-01", np.random.default_rng(0)
    folder.mkdir(parents=True)
    tiny = [one / 50 + np.float32(9500) for one in phantoms.asymmetric_bundle(20)]
    phantoms.raw_tck(folder / "AF_L.tck", tiny)
    wide = [np.linspace(*ends, 40).astype(np.float32) for ends in random.uniform(-1000, 1000, (300, 2, 3))]
    phantoms.raw_tck(folder / "CST_L.tck", wide)
    phantoms.save(folder / "UF_L.tck", phantoms.asymmetric_bundle(20))
    run(tmp_path / "in", tmp_path / "out", "--fit", "--size", "1000")
    notes = {name: told(tmp_path / "out", name)["Notes"] for name in ("AF_L", "CST_L", "UF_L")}
    assert notes["AF_L"] == ["so far from the origin, points are placed to 0.004 mm, which is more than a pixel"]
    assert notes["CST_L"] == ["its volume is on voxels of 16 mm, since it reaches over more space than a head"]
    assert notes["UF_L"] == []
    assert told(tmp_path / "out", "CST_L")["VolumeVoxelMillimetres"] == 16


def test_records_have_the_hash_of_their_pictures(tmp_path: Path) -> None:
    """As ``sha256sum`` gives it; the same however often they are drawn, another one for other streamlines."""
    data = bundles(tmp_path / "in", (0, 0, 0))
    hashes = []
    for name in ("out", "again"):
        run(data, tmp_path / name, "--animation", "gif")
        for bundle in ("AF_L", "CST_L"):
            found = told(tmp_path / name, bundle)
            pictures = [(tmp_path / name / "sub-01/figures" / picture).read_bytes() for picture in found["Pictures"]]
            assert len(pictures) == 4
            with Image.open(tmp_path / name / f"sub-01/figures/{bundle}_mosaic.png") as mosaic:
                assert mosaic.height - found["HeadingPixels"] == 160  # a row of two views
            hashes.append(found["PicturesSHA256"])
            assert hashes[-1] == hashlib.sha256(b"".join(pictures)).hexdigest()
    assert hashes[:2] == hashes[2:]
    assert hashes[0] != hashes[1]


def test_a_mosaic_alone(tmp_path: Path) -> None:
    """Two files for a tractogram; the mosaic is that with views beside it. Runs with and without know them apart."""
    data, out = bundles(tmp_path / "in", (0, 0, 0)), tmp_path / "out"
    run(data, tmp_path / "views")
    run(data, out, "--mosaic-only")
    figures = out / "sub-01/figures"
    assert sorted(path.name for path in figures.glob("AF_L*")) == ["AF_L.json", "AF_L_mosaic.png"]
    mosaic = (figures / "AF_L_mosaic.png").read_bytes()
    assert mosaic == (tmp_path / "views/sub-01/figures/AF_L_mosaic.png").read_bytes()
    assert told(out, "AF_L")["Pictures"] == ["AF_L_mosaic.png"]
    assert "AF_L_view-" not in (out / "sub-01.html").read_text()
    assert "2 kept" in run(data, out, "--mosaic-only").stderr
    assert "2 drawn" in run(data, out).stderr
    assert len(told(out, "AF_L")["Pictures"]) == 3
