"""Two bundles: overlap, distances and similarity of pairs that are known."""

from pathlib import Path

import checking
import nibabel as nib
import numpy as np
import phantoms
import pytest
from dipy.segment.bundles import bundle_shape_similarity
from nibabel.streamlines import ArraySequence
from PIL import Image

from tractcap.checks import checks
from tractcap.checks.atlas import shape_similarity
from tractcap.checks.common.check_definition import CheckFile, CheckInput
from tractcap.checks.common.sample import SEED
from tractcap.errors import InputError


def block(low: tuple[float, float, float], sides: tuple[int, int, int]) -> phantoms.Streamlines:
    """Streamlines along x through the middles of so many voxels of 2 mm, from the voxel at ``low`` mm on."""
    x, y, z = sides
    return [
        (np.array(low) + 1 + 2 * np.stack([np.arange(x), np.full(x, row), np.full(x, level)], axis=1)).astype(
            np.float32
        )
        for row in range(y)
        for level in range(z)
    ]


OURS = block((-40, 0, 0), (20, 4, 4))


def compare(tmp_path: Path, other: phantoms.Streamlines, **more: str) -> dict[str, float]:
    path = phantoms.save(tmp_path / "AF_L.trk", OURS)
    atlas = phantoms.save(tmp_path / "atlas.trk", other)
    ours = CheckFile(str(path), space=more.get("ours", "MNI"))
    given = {"tractogram": ours, "atlas": CheckFile(str(atlas), space=more.get("theirs", "MNI"))}
    return checking.make("atlas", tmp_path / "out", path, **given)[0].measures


def test_a_bundle_is_like_itself(tmp_path: Path) -> None:
    told = compare(tmp_path, OURS)
    assert (told["Dice"], told["Overlap"], told["Overreach"], told["Similarity"]) == (1, 1, 0, 1)
    assert (told["DistanceMean"], told["Distance95"], told["DistanceBackMean"]) == (0, 0, 0)


@pytest.mark.parametrize("part", [20, 90, 160])
def test_similarity_is_about_dipys(part: int) -> None:
    """Of two bundles of which a part is alike."""
    ours, theirs = phantoms.asymmetric_bundle(200), phantoms.straight_bundle(100)
    both = [*ours, *[one + np.float32(40) for one in theirs]], [*ours[:part], *theirs]
    random = np.random.default_rng(SEED)
    expected = bundle_shape_similarity(*map(ArraySequence, both), random, clust_thr=(5, 3, 1.5), threshold=6)
    assert 0.2 < expected < 0.9
    assert shape_similarity(*both) == pytest.approx(expected, abs=0.04)


def test_clusters_are_of_lines_that_lie_near_whichever_way_they_run() -> None:
    """Three lie within 1.5 mm and one 9 mm away: of two clusters, only the first is near the other bundle's."""
    line = np.linspace([0, 0, 0], [50, 0, 0], 30).astype(np.float32)
    beside = ((line, 0), (line[::-1], 0.5), (line, 9), (line[::-1], 1))
    lines = [np.add(one, [0, y, 0]).astype(np.float32) for one, y in beside]
    assert shape_similarity(lines, [line]) == (1 / 2 + 1) / 2
    assert shape_similarity([*lines, line[::-1] + np.float32([0, 20, 0])], [line]) == (1 / 3 + 1) / 2


def test_half_of_it(tmp_path: Path) -> None:
    """The atlas has one half: all of that is reached, as much again is beyond it, and Dice is 2 × 1 / (2 + 1)."""
    told = compare(tmp_path, block((-40, 0, 0), (20, 2, 4)))
    assert (told["Dice"], told["Overlap"], told["Overreach"]) == pytest.approx((2 / 3, 1, 1), abs=1e-5)
    assert (told["DistanceMean"], told["DistanceBackMean"]) == (1.5, 0)  # 0, 0, 2 and 4 mm away


def test_crossing_bundles_share_where_they_cross(tmp_path: Path) -> None:
    """Two of 20 × 4 × 4 voxels that cross at right angles have 4 × 4 × 4 in common, and are not alike."""
    crossing = [one[:, [1, 0, 2]] + np.array([-20, 20, 0], np.float32) for one in OURS]
    told = compare(tmp_path, crossing)
    assert (told["Dice"], told["Overlap"], told["Overreach"]) == pytest.approx((0.2, 0.2, 0.8), abs=1e-5)
    assert told["Similarity"] == 0


def test_a_known_way_off(tmp_path: Path) -> None:
    """In the same space, by their names, they may be wholly apart."""
    told = compare(tmp_path, [one + np.array([0, 0, 30], np.float32) for one in OURS])
    assert (told["Dice"], told["Overlap"], told["Similarity"]) == (0, 0, 0)
    assert told["DistanceMean"] == pytest.approx(30 - 6 / 2, abs=1e-3)  # from levels 0, 2, 4, 6 to the nearest, 30


def test_known_spaces_must_be_the_same(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"AF_L\.trk is in space T1w, and .*atlas\.trk in MNI"):
        compare(tmp_path, OURS, ours="T1w")


def test_unknown_spaces_are_looked_at(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "AF_L.trk", OURS)
    atlas = CheckFile(str(phantoms.save(tmp_path / "atlas.trk", OURS)), space="MNI")
    found, _ = checking.make("atlas", tmp_path / "out", path, atlas=atlas)
    assert any(note.startswith("the name of AF_L.trk doesn't say which space") for note in found.notes)
    with pytest.raises(InputError, match="overlap at all"):
        compare(tmp_path, [one + np.float32(300) for one in OURS], theirs="")


def test_an_image_is_compared_on_its_own_grid(tmp_path: Path) -> None:
    """The middles of its voxels lie on the faces of ours: only on its own grid all of the bundle is in it."""
    data, affine = np.zeros((40, 20, 20), np.uint8), np.diag([2.0, 2, 2, 1])
    affine[:3, 3] = [-59, -9, -9]
    data[10:30, 5:9, 5:9] = 100
    data[0, 0, 0], data[10:30, 5, 5] = 40, 60  # below half of the highest, and above it
    nib.save(nib.Nifti1Image(data, affine), tmp_path / "AF_L.nii.gz")
    beside = np.array([0.4, -0.4, 0.3], np.float32)  # still in the same voxels
    path = phantoms.save(tmp_path / "AF_L.trk", [one + beside for one in OURS])
    atlas = CheckFile(str(tmp_path / "AF_L.nii.gz"), voxels=data.size, space="MNI")
    given = {"tractogram": CheckFile(str(path), space="MNI"), "atlas": atlas}
    found, output = checking.make("atlas", tmp_path / "out", path, **given)
    told = found.measures
    assert (told["Dice"], told["Overlap"], told["Overreach"], told["Similarity"]) == (1, 1, 0, None)
    assert (told["DistanceMean"], told["DistanceBack95"]) == pytest.approx((0, 0), abs=1e-6)
    assert any("neither adjacency nor shape similarity" in note for note in found.notes)
    with Image.open(tmp_path / "out" / output.figures[0].file) as picture:
        alone = np.asarray(picture.convert("RGB"))[-480:]  # the atlas's row is seen in all three views
    for view in range(3):
        blue = (
            alone[..., 2].astype(int)[:, view * 480 + 20 : view * 480 + 460]
            - alone[..., 0][:, view * 480 + 20 : view * 480 + 460]
        )
        assert (blue > 60).sum() > 200


def test_an_empty_image(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 4), np.uint8), np.eye(4)), tmp_path / "AF_L.nii.gz")
    path = phantoms.save(tmp_path / "AF_L.trk", OURS)
    with pytest.raises(InputError, match="no voxel above zero"):
        checking.make("atlas", tmp_path / "out", path, atlas=CheckFile(str(tmp_path / "AF_L.nii.gz"), voxels=64))


def test_before_and_after(tmp_path: Path) -> None:
    """Half is left: counts and volumes are of whole files, and where streamlines were taken the density is lower."""
    before = phantoms.save(tmp_path / "raw.trk", OURS)
    after = phantoms.save(tmp_path / "clean.trk", OURS[:8])
    found, output = checking.make("before", tmp_path / "out", after, before=CheckFile(str(before)))
    told = found.measures
    assert (told["StreamlinesBefore"], told["StreamlinesAfter"], told["Retention"]) == (16, 8, 0.5)
    assert (told["VolumeBefore"], told["VolumeAfter"]) == (20 * 16 * 8, 20 * 8 * 8)
    assert told["Dice"] == pytest.approx(2 / 3, abs=1e-5)
    assert told["MeanLengthBefore"] == told["MeanLengthAfter"] == 38
    rows = (tmp_path / "out/clean_check-before_measures.tsv").read_text().splitlines()
    assert rows[1] == "Streamlines\t16\t8\t-8"
    with Image.open(tmp_path / "out" / output.figures[0].file) as picture:
        difference = np.asarray(picture.convert("RGB")).astype(int)[-480:]
    assert (difference[..., 2] - difference[..., 0] > 80).sum() > 500  # less: blue
    assert (difference[..., 0] - difference[..., 2] > 80).sum() == 0  # more: red


@pytest.mark.parametrize(("hemisphere", "mirrored"), [("L", False), ("R", True)])
def test_a_mirrored_pair_is_symmetric(tmp_path: Path, hemisphere: str, mirrored: bool) -> None:
    left = phantoms.asymmetric_bundle(20)
    right = [one * np.array([-1, 1, 1], np.float32) for one in left]
    paths = [phantoms.save(tmp_path / f"AF_{side}.trk", one) for side, one in (("L", left), ("R", right))]
    own, other = paths[::-1] if mirrored else paths
    found, _ = checking.make("sides", tmp_path / "out", own, mirror=CheckFile(str(other)), hemisphere=hemisphere)
    told = found.measures
    assert (told["LateralityStreamlines"], told["LateralityLength"]) == (0, 0)
    assert told["AsymmetryVolume"] < 0.05  # voxels' faces are not mirrored exactly
    assert told["StreamlinesLeft"] == told["StreamlinesRight"] == 20


@pytest.mark.parametrize("hemisphere", ["L", "R"])
def test_more_on_the_left_is_positive(tmp_path: Path, hemisphere: str) -> None:
    left, right = OURS, [one + np.array([60, 0, 0], np.float32) for one in OURS[:4]]
    paths = {"L": phantoms.save(tmp_path / "L.trk", left), "R": phantoms.save(tmp_path / "R.trk", right)}
    own = paths.pop(hemisphere)
    found, _ = checking.make(
        "sides", tmp_path / "out", own, mirror=CheckFile(str(*paths.values())), hemisphere=hemisphere
    )
    told = found.measures
    assert (told["LateralityStreamlines"], told["LateralityVolume"]) == pytest.approx((0.6, 0.6), abs=1e-6)
    assert (told["AsymmetryStreamlines"], told["AsymmetryLength"]) == pytest.approx((0.6, 0), abs=1e-6)


def test_what_is_missing_is_said() -> None:
    given = CheckInput(CheckFile("a.trk"))
    assert "--atlas" in checks()["atlas"].missing(given)
    assert "--before" in checks()["before"].missing(given)
    assert "no hemisphere" in checks()["sides"].missing(given)
    assert "other hemisphere" in checks()["sides"].missing(CheckInput(CheckFile("a.trk"), hemisphere="L"))


@pytest.mark.parametrize(("most", "given"), [(16, True), (12, False), (4, False)])
def test_similarity_is_given_of_whole_bundles_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, given: bool
) -> None:
    """Of two samples, and of one beside a whole bundle, there is adjacency alone, and it is said."""
    monkeypatch.setattr("tractcap.checks.common.sample.MOST_STREAMLINES", most)
    ours, theirs = (phantoms.save(tmp_path / name, one) for name, one in (("a.trk", OURS), ("b.trk", OURS[:8])))
    found, _ = checking.make("atlas", tmp_path / "out", ours, atlas=CheckFile(str(theirs)))
    assert (found.measures["Similarity"] is not None) == given
    assert any("it isn't given for a sample" in note for note in found.notes) != given


def test_adjacency_counts_streamlines_that_have_one_near(tmp_path: Path) -> None:
    """All of ours have one of theirs within 6 mm; of theirs, the four that lie 30 mm off have none."""
    theirs = [*OURS[:12], *[one + np.float32([0, 0, 30]) for one in OURS[:4]]]
    told = compare(tmp_path, theirs)
    assert [told[f"Adjacency{end}"] for end in ("", "Low", "High")] == [(1 + 12 / 16) / 2] * 3
    beyond = compare(tmp_path, [one + np.float32([0, 0, 6 + 5.9]) for one in OURS])  # from the upper level, 6 mm
    assert beyond["Adjacency"] == 0.25
    assert compare(tmp_path, [one + np.float32([0, 0, 6 + 6.1]) for one in OURS])["Adjacency"] == 0
