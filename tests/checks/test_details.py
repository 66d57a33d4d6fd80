"""What checks promise to the last digit: how many streamlines, how measures are rounded, what an image shows."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import checking
import nibabel as nib
import numpy as np
import phantoms
import pytest
from PIL import Image

from tractcap.checks import checks
from tractcap.checks.atlas import shape_similarity
from tractcap.checks.common import bundle_mask, estimate, sample
from tractcap.checks.common.check_definition import CheckFile, CheckInput
from tractcap.checks.flags import raised, read
from tractcap.checks.shape import cut
from tractcap.inputs.images import ImageFile
from tractcap.inputs.tractograms import open_tractogram

Given = dict[str, Any]


@pytest.fixture
def without_pictures() -> Iterator[None]:
    """Pictures and plots are not what is looked at here, and take long."""
    with checking.no_pictures():
        yield


def given(folder: Path, lines: phantoms.Streamlines) -> tuple[Path, Given]:
    """A bundle, and beside it all that a check may use: three quarters of it, moved a little, and a map."""
    path = phantoms.save(folder / "AF_L.tck", lines)
    other = [one + np.float32([0.7, 0.3, 0.2]) for one in lines[: len(lines) * 3 // 4]]
    beside = CheckFile(str(phantoms.save(folder / "other.tck", other)))
    mirror = CheckFile(str(phantoms.save(folder / "AF_R.tck", [one * np.float32([-1, 1, 1]) for one in other])))
    random = np.random.default_rng(0).random((91, 109, 91)).astype(np.float32)
    nib.save(nib.Nifti1Image(random, phantoms.affine()), folder / "fa.nii")
    maps = {"FA": CheckFile(str(folder / "fa.nii"), voxels=random.size)}
    return path, {"atlas": beside, "before": beside, "mirror": mirror, "hemisphere": "L", "maps": maps}


@pytest.mark.parametrize("name", ["shape", "cci", "profile", "segments", "atlas"])
@pytest.mark.usefixtures("without_pictures")
def test_two_thousand_streamlines_are_looked_at(tmp_path: Path, name: str) -> None:
    """Of more each has the same chance, of as many all are taken; of all there are counts."""
    lines = [np.float32([[-20, y / 40, 0], [-20, y / 40, 15], [-19, y / 40, 30]]) for y in range(2001)]
    path, more = given(tmp_path, lines)
    found, _ = checking.make(name, tmp_path / "out", path, **more)
    assert (found.measures["Streamlines"], found.measures["Sampled"]) == (2001, 2000)
    assert any("2,000 of 2,001 streamlines, taken at random" in note for note in found.notes)


@pytest.mark.parametrize("name", ["before", "sides"])
@pytest.mark.usefixtures("without_pictures")
def test_two_thousand_streamlines_are_drawn_of_each_state_or_side(tmp_path: Path, name: str) -> None:
    lines = [np.float32([[-20, y / 40, 0], [-20, y / 40, 15], [-19, y / 40, 30]]) for y in range(2001)]
    path, more = given(tmp_path, lines)
    found, _ = checking.make(name, tmp_path / "out", path, **more)
    drawn = [note for note in found.notes if "taken at random" in note]
    assert len(drawn) == 1, "of the other one all are"
    assert "2,000 of 2,001 streamlines, taken at random" in drawn[0]


DIGITS = {
    "shape": {"LengthMean": None, "SpanMean": 3, "SpanMeanLow": 3, "CurvatureMean": 6, "CurvatureMedian": 6,
              "Straightness": 6},
    "cci": {"CCIMean": 6, "CCIMeanHigh": 6, "CCIMedian": 6, "CCIStandardDeviation": 6},
    "segments": {"DistanceMean": 3, "FewestShare": 6},
    "atlas": {"Adjacency": 6, "Dice": 6, "Overlap": 6, "Overreach": 6, "DistanceMean": 3, "DistanceBackMean": 3},
    "before": {"Dice": 6, "Retention": 6},
    "sides": {"LateralityLength": 6, "AsymmetryLength": 6, "LateralityVolume": 6},
}  # fmt: skip
"""Digits behind the point that measures have: six of shares and indices, three of mm."""


@pytest.mark.parametrize("name", DIGITS)
@pytest.mark.usefixtures("without_pictures")
def test_measures_have_no_more_digits_than_they_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """And as many: a figure that isn't a round number has all of them."""
    lines = [one[: 8 + at] for at, one in enumerate(phantoms.asymmetric_bundle(31))]
    path, more = given(tmp_path, lines)
    found = checking.make(name, tmp_path / "out", path, **more)[0].measures
    for key, digits in DIGITS[name].items():
        value = found[key]
        assert isinstance(value, float), key
        if digits is not None:
            assert round(value, digits) == value, key
            assert key in ("FewestShare", "Retention", "Adjacency") or round(value, digits - 1) != value, key


@pytest.mark.usefixtures("without_pictures")
def test_measures_against_an_atlas_are_rounded_from_what_they_are(tmp_path: Path) -> None:
    ours = phantoms.asymmetric_bundle(31)
    path, more = given(tmp_path, ours)
    theirs = [one + np.float32([0.7, 0.3, 0.2]) for one in ours[:23]] + phantoms.straight_bundle(7)
    phantoms.save(tmp_path / "other.tck", theirs)
    found = checking.make("atlas", tmp_path / "out", path, **more)[0].measures
    taken = [sample.take(open_tractogram(one), checking.silent).streamlines for one in (path, tmp_path / "other.tck")]
    exact = shape_similarity(*taken)
    assert found["Similarity"] == round(exact, 6)
    assert 0 < exact < 1


def test_short_streamlines_are_left_out_only_where_that_is_asked_for(tmp_path: Path) -> None:
    """However short they are."""
    lines = [np.float32([[0, 0, 0], [0, 0, mm]]) for mm in (0.001, 0.5, 2, 50)]
    path = phantoms.save(tmp_path / "a.tck", lines)
    assert len(sample.take(open_tractogram(path), checking.silent).streamlines) == 4
    for shortest, count in ((0.5, 3), (0.6, 2), (2.0, 2), (2.1, 1)):
        taken = sample.take(open_tractogram(path), checking.silent, shortest)
        assert (len(taken.streamlines), taken.total, taken.whole) == (count, count, True)


@pytest.mark.parametrize(
    ("count", "most", "words"),
    [
        (1, 9, "1 streamline"),
        (2, 9, "2 streamlines"),
        (2, 1, "1 of 2 streamlines"),
        (1000, 999, "999 of 1,000 streamlines"),
    ],
)
def test_captions_say_how_many_of_how_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, most: int, words: str
) -> None:
    monkeypatch.setattr("tractcap.checks.common.sample.MOST_STREAMLINES", most)
    path = phantoms.save(tmp_path / "a.tck", phantoms.straight_bundle(1) * count)
    assert sample.take(open_tractogram(path), checking.silent).caption == words


@pytest.mark.parametrize(("most", "whole"), [(61, True), (60, True), (59, False)])
def test_as_many_points_as_a_sample_may_hold_are_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, whole: bool
) -> None:
    monkeypatch.setattr("tractcap.checks.common.sample.MOST_POINTS", most)
    path = phantoms.save(tmp_path / "a.tck", phantoms.straight_bundle(2))  # of 30 points
    assert sample.take(open_tractogram(path), checking.silent).whole == whole


@pytest.mark.parametrize(("most", "kept"), [(300, 1), (299, 0)])
def test_a_streamline_of_as_many_points_as_may_be_held_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, kept: int
) -> None:
    monkeypatch.setattr("tractcap.checks.common.sample.MOST_POINTS", most)
    lines = [np.linspace([0, 0, 0], [90, 0, 0], 300), np.linspace([0, 9, 0], [90, 9, 0], 3)]
    path = phantoms.save(tmp_path / "a.tck", [one.astype(np.float32) for one in lines])
    taken = sample.take(open_tractogram(path), checking.silent)
    assert taken.left_out[sample.ENDLESS] == 1 - kept
    assert taken.total == 1 + kept


# an atlas's image


def cube(path: Path, side: int) -> CheckFile:
    """A cube of so many voxels along each side, in an image that is larger."""
    data = np.zeros((side + 4, side + 5, side + 6), np.uint8)
    data[2 : side + 2, 2 : side + 2, 2 : side + 2] = 1
    nib.save(nib.Nifti1Image(data, np.diag([1.0, 2, 3, 1])), path)
    return CheckFile(str(path), voxels=data.size)


@pytest.mark.parametrize(("side", "rim", "shown"), [(3, 26, 26), (29, 4706, 4706), (30, 5048, 2524), (50, 14408, 4803)])
def test_the_surface_of_an_image_is_shown_by_some_thousand_crosses(
    tmp_path: Path, side: int, rim: int, shown: int
) -> None:
    """Up to 5,000 all of them, then every second one, or third: each has a stroke along each axis."""
    mask = bundle_mask.read(cube(tmp_path / "a.nii", side))
    assert (len(mask.centers), len(mask.rim), len(mask.strokes)) == (side**3, rim, 3 * shown)
    of = f", {shown:,} of {rim:,} at its surface shown" if shown < rim else ""
    assert mask.caption == f"an image of {side**3:,} voxels{of}"


def test_crosses_are_as_long_as_a_voxel_is_at_least(tmp_path: Path) -> None:
    """Of 1, 2 and 3 mm: half a millimetre on all sides of the middle."""
    mask = bundle_mask.read(cube(tmp_path / "a.nii", 3))
    first = mask.rim[0]
    assert first == pytest.approx([2, 4, 6])
    ends = {tuple(np.round(end - first, 4).tolist()) for stroke in mask.strokes[:3] for end in stroke}
    assert ends == {tuple((sign * 0.5 * np.eye(3)[axis]).tolist()) for axis in range(3) for sign in (-1, 1)}


def test_an_image_s_voxels_and_back(tmp_path: Path) -> None:
    mask = bundle_mask.read(cube(tmp_path / "a.nii", 4))
    points = mask.centers + np.array([0.2, -0.3, 0.4])
    assert mask.off_grid(mask.on_grid(points)) == pytest.approx(points, abs=1e-4)
    assert mask.territory.volume == 4**3 * 8, "in voxels of 2 mm, which the image's have become"


@pytest.mark.parametrize(("value", "inside"), [(50, False), (51, True), (-1, False), (np.nan, False)])
def test_voxels_above_half_of_the_highest_value_are_the_bundle_s(tmp_path: Path, value: float, inside: bool) -> None:
    data = np.zeros((5, 5, 5), np.float32)
    data[1, 1, 1], data[3, 3, 3] = 100, value
    nib.save(nib.Nifti1Image(data, np.eye(4)), tmp_path / "a.nii")
    assert len(bundle_mask.read(CheckFile(str(tmp_path / "a.nii"))).centers) == 1 + inside


# pictures and tables


def test_two_sheets_stand_below_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the left edge, on the background that was asked for."""
    sheets = [Image.new("RGB", size, color) for size, color in (((20, 10), (200, 0, 0)), ((30, 15), (0, 0, 200)))]
    left = iter(sheets)
    monkeypatch.setattr("tractcap.checks.common.panels.sheet", lambda *_, **__: next(left))
    path, more = given(tmp_path, phantoms.asymmetric_bundle(20))
    _, output = checking.make("before", tmp_path / "out", path, **more)
    with Image.open(tmp_path / "out" / output.figures[0].file) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    expected = np.zeros((25, 30, 3), np.uint8)
    expected[:10, :20, 0], expected[10:, :, 2] = 200, 200
    assert np.array_equal(pixels, expected)


@pytest.mark.parametrize(("most", "words"), [(20, "removed"), (8, "removed of the 8 drawn")])
def test_of_a_sample_the_caption_says_what_kept_and_removed_are_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, words: str
) -> None:
    rows: list[Any] = []

    def sheet(output: object, heading: str, subtitle: str, shown: Any, *_: object, **__: object) -> Image.Image:
        rows.extend(shown)
        return Image.new("RGB", (1, 1))

    monkeypatch.setattr("tractcap.checks.common.panels.sheet", sheet)
    monkeypatch.setattr("tractcap.checks.common.sample.MOST_STREAMLINES", most)
    path = phantoms.save(tmp_path / "a.tck", phantoms.asymmetric_bundle(20))
    checking.make("cci", tmp_path / "out", path)
    assert [row.title for row in rows] == ["Before", "After", "Removed"]
    assert rows[1].words.endswith(words)


def test_cells_of_tables(tmp_path: Path) -> None:
    """Six digits at most and no zeros behind them; what isn't known is n/a; no tab or line's end within a cell."""
    _, output = checking.make("segments", tmp_path, phantoms.save(tmp_path / "a.tck", phantoms.straight_bundle(3)))
    row = (0.1234567, 2.5, 3.0, -0.0000001, None, "", float("nan"), "two\tor\nthree", 7, 100.0)
    output.table("odd", "Odd", [str(at) for at in range(len(row))], [row])
    lines = (tmp_path / output.tables[-1].file).read_text().splitlines()
    assert lines[1].split("\t") == [
        "0.123457", "2.5", "3", "0", "n/a", "n/a", "n/a", "two or three", "7", "100"
    ]  # fmt: skip
    assert output.tables[-1].bytes == (tmp_path / output.tables[-1].file).stat().st_size


# memory, and rules


@pytest.mark.parametrize("name", checks())
def test_memory_is_planned_for_each_file_that_a_check_reads(name: str) -> None:
    """What can't be read in chunks is loaded for it, each of the files that it uses."""
    check = checks()[name]

    def need(**more: Any) -> int:
        return check.need(CheckInput(**{"tractogram": CheckFile("a.vtk", 10, 100), "hemisphere": "L", **more}))

    assert need(tractogram=CheckFile("a.vtk", 10, 100, loaded=10**9)) - need() == 10**9
    for use in {"atlas", "before", "mirror"} & set(check.uses):
        bare, loaded = (need(**{use: CheckFile("b.vtk", 10, 100, loaded=size)}) for size in (0, 10**9))
        assert loaded - bare == 10**9
        assert bare > need()


def test_memory_of_a_sample_to_the_byte() -> None:
    """Twelve bytes a point and what is copied of them, 300 of each streamline; no more than a sample may hold."""
    assert CheckFile("a.tck", 100, 1000).sample_need == 60 * 1000 + 300 * 100
    assert CheckFile("a.tck", 3000, 1000, loaded=7).sample_need == 7 + 60 * 1000 + 300 * 3000
    assert CheckFile("a.tck", 5000, 10**9).sample_need == 60 * 10**6 + 300 * 4000


@pytest.mark.parametrize("name", checks())
def test_memory_is_planned_for_reading_pictures_and_each_tractogram_that_is_read_whole(name: str) -> None:
    """Some 20 MB for reading, 64 for pictures, 40 for plots and for each tractogram of which all is counted."""
    own, check = CheckFile("a.tck", 10, 100), checks()[name]
    others = {use: CheckFile("b.tck", 10, 100) for use in {"atlas", "before", "mirror"} & set(check.uses)}
    files = 1 + len(others)
    whole = files * (name in ("shape", "atlas", "before", "sides"))
    least = 22 * 10**6 + files * own.sample_need + (64 + 40 * whole + 40 * (name != "before")) * 2**20
    need = check.need(CheckInput(own, hemisphere="L", **others))
    assert least <= need < least + 100 * 2**20


def rule(path: Path, *lines: str) -> Any:
    path.write_text("\n".join(("[[flag]]", 'name = "a"', 'check = "profile"', *lines)))
    return read(path)


@pytest.mark.parametrize(
    ("measure", "key", "flagged"),
    [
        ("MeanNAME", "MeanFA", True),
        ("MeanNAME", "Mean", False),  # no map's name is left
        ("MeanNAME", "MinimumFA", False),
        ("MeanNAMELow", "MeanFALow", True),
        ("MeanNAMELow", "MeanLow", False),
        ("MeanNAMELow", "MeanFA", False),
        ("MeanFA", "MeanFA", True),
        ("MeanFA", "MeanFA2", False),
    ],
)
def test_a_rule_is_of_the_measures_whose_keys_fit(tmp_path: Path, measure: str, key: str, flagged: bool) -> None:
    flags = raised(rule(tmp_path / "f.toml", f'measure = "{measure}"', "above = 1"), "profile", {key: 2.0})
    assert [flag.measure for flag in flags] == [key] * flagged


@pytest.mark.parametrize(
    ("bound", "value", "flagged"),
    [
        ("below = 0", -0.5, True),
        ("below = 0", 0, False),
        ("above = 0", 0.5, True),
        ("above = 0", 0, False),
        ("above = 1", 2, True),
        ("above = 1", "2", False),
        ("above = 1", None, False),
    ],
)
def test_a_threshold_may_be_zero_and_is_itself_no_flag(tmp_path: Path, bound: str, value: Any, flagged: bool) -> None:
    flags = raised(rule(tmp_path / "f.toml", 'measure = "MeanFA"', bound), "profile", {"MeanFA": value})
    assert [flag.value for flag in flags] == [value] * flagged


def test_a_check_may_be_handed_on_as_json() -> None:
    """With each of the files that it may have, or without."""
    files = {name: CheckFile(f"{name}.trk", 1, 2, 3, "MNI", 4) for name in ("reference", "atlas", "before", "mirror")}
    for several in (files, {}):
        one = CheckInput(CheckFile("a.trk", 5), "AF", "L", "LPS", {"FA": CheckFile("fa.nii", voxels=7)}, **several)
        assert CheckInput.parse(json.loads(json.dumps(one.plain()))) == one
        assert set(one.files) == {*several, "map FA"}


# scales, and figures of very few


@pytest.fixture
def scales(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The scale of each sheet of pictures."""
    seen: list[Any] = []

    def sheet(*_: object, **more: Any) -> Image.Image:
        seen.append(more.get("scale"))
        return Image.new("RGB", (1, 1))

    monkeypatch.setattr("tractcap.checks.common.panels.sheet", sheet)
    return seen


def column(path: Path, at: int) -> Any:
    return np.array([float(line.split("\t")[at]) for line in path.read_text().splitlines()[1:]])


def test_colours_of_the_index_reach_to_where_most_of_them_lie(tmp_path: Path, scales: list[Any]) -> None:
    """Nine in ten: few that are very high leave the others apart."""
    path = phantoms.save(tmp_path / "a.tck", phantoms.asymmetric_bundle(60))
    checking.make("cci", tmp_path / "out", path)
    values = column(tmp_path / "out/a_check-cci_values.tsv", 1)
    assert (scales[0].low, scales[0].high) == pytest.approx((0, np.percentile(values, 90)), abs=1e-4)
    assert scales[0].high > 1


def test_colours_of_a_map_are_those_of_nearly_all_points(tmp_path: Path, scales: list[Any]) -> None:
    """From the second percentile to the last but two, of the points and of the profile."""
    path, more = given(tmp_path, phantoms.asymmetric_bundle(20))
    checking.make("profile", tmp_path / "out", path, **more)
    volume = ImageFile(tmp_path / "fa.nii").values()
    points = np.concatenate([volume.at(one) for one in phantoms.asymmetric_bundle(20)])
    nodes = column(tmp_path / "out/AF_L_check-profile_profiles.tsv", 2)
    expected = np.percentile(np.concatenate([points, nodes]), (2, 98))
    assert (scales[0].low, scales[0].high) == pytest.approx(tuple(expected), abs=1e-3)


def test_a_map_of_one_value_has_a_scale_all_the_same(tmp_path: Path, scales: list[Any]) -> None:
    path, more = given(tmp_path, phantoms.asymmetric_bundle(5))
    nib.save(nib.Nifti1Image(np.zeros((91, 109, 91), np.float32), phantoms.affine()), tmp_path / "fa.nii")
    checking.make("profile", tmp_path / "out", path, **more)
    assert (scales[0].low, scales[0].high) == (0, 1)


@pytest.mark.parametrize("values", [[3.0], [0.0], [0.25, 0.5]])
def test_figures_of_very_few_that_are_all(values: list[float]) -> None:
    few = np.array(values)
    for figure, known in (
        (estimate.mean, few.mean()),
        (estimate.median, np.median(few)),
        (estimate.deviation, few.std()),
    ):
        found = figure(few, 1.0)
        assert (found.value, found.low, found.high) == (known, known, known)
    part = estimate.ratio(few / 8, np.full(len(few), 1 / 8), 1.0)
    assert part.value == pytest.approx(few.mean())
    assert estimate.share(0.5, 1, 1.0) == estimate.Estimate(0.5, 0.5, 0.5)


def test_ends_are_marked_on_streamlines_of_any_length() -> None:
    """Twice four millimetres have nothing between them; a little more has."""
    for mm, between in ((8.0, False), (8.1, True), (11.9, True), (3.0, False)):
        first, last, middle = cut(np.linspace([0, 0, 0], [mm, 0, 0], 30).astype(np.float32), 4)
        assert (sample.length(first), sample.length(last)) == pytest.approx([min(4, mm / 2)] * 2, rel=1e-5)
        assert (len(middle) > 0) == between
        if between:
            assert sample.length(middle) == pytest.approx(mm - 8, abs=1e-4)


@pytest.mark.usefixtures("without_pictures")
def test_a_streamline_without_length_has_no_form(tmp_path: Path) -> None:
    """Two points that are one: it is counted, and its curvature and straightness don't count."""
    lines = [np.linspace([0, 0, 0], [40, 0, 0], 9).astype(np.float32), np.float32([[5, 5, 5], [5, 5, 5]])]
    found = checking.make("shape", tmp_path / "out", phantoms.save(tmp_path / "a.tck", lines))[0].measures
    assert (found["Streamlines"], found["LengthMinimum"], found["SpanMean"]) == (2, 0, 20)
    assert (found["CurvatureMean"], found["Straightness"]) == pytest.approx((0, 1), abs=1e-6)


def test_between_their_ends_streamlines_of_two_points_are_drawn_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where they are longer than both ends; each has two ends all the same."""
    rows: list[Any] = []

    def sheet(output: object, heading: str, subtitle: str, shown: Any, *_: object, **__: object) -> Image.Image:
        rows.extend(shown)
        return Image.new("RGB", (1, 1))

    monkeypatch.setattr("tractcap.checks.common.panels.sheet", sheet)
    lines = [np.float32([[0, y, 0], [mm, y, 0]]) for y, mm in enumerate((7, 9, 30, 40))]
    checking.make("shape", tmp_path / "out", phantoms.save(tmp_path / "a.tck", lines))
    assert [one.tractogram.header.streamlines for one in rows[1].bundles] == [3, 8]


@pytest.mark.usefixtures("without_pictures")
def test_the_table_of_before_and_after_has_the_differences(tmp_path: Path) -> None:
    lines = [one[: 10 + at] for at, one in enumerate(phantoms.asymmetric_bundle(30))]
    path, more = given(tmp_path, lines)
    found = checking.make("before", tmp_path / "out", path, **more)[0].measures
    text = (tmp_path / "out/AF_L_check-before_measures.tsv").read_text()
    rows = {key: tuple(map(float, rest)) for key, *rest in (line.split("\t") for line in text.splitlines()[1:])}
    assert set(rows) == {"Streamlines", "MeanLength", "MedianLength", "Volume"}
    for key, (before, after, difference) in rows.items():
        assert (before, after) == (found[f"{key}Before"], found[f"{key}After"])
        assert difference == round(after - before, 3)
    assert rows["MeanLength"][2] != round(rows["MeanLength"][2], 2)


def test_of_none_that_are_kept_there_is_an_empty_picture(tmp_path: Path) -> None:
    """As large as others, on the background that was asked for."""
    far = [np.linspace([x, 0, 0], [x, 50, 0], 20).astype(np.float32) for x in (0, 40)]
    _, output = checking.make("cci", tmp_path / "out", phantoms.save(tmp_path / "a.tck", far))
    with Image.open(tmp_path / "out" / output.figures[0].file) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    side = pixels.shape[1] // 3
    last = len(pixels) - 2 * side
    rows = [pixels[last + at * side - side : last + at * side][100:-60, 100 : side - 100] for at in range(3)]
    assert [bool(row.any()) for row in rows] == [True, False, True], "before, after and removed"
