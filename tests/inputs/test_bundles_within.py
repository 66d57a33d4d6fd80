"""Groups of a TRX and named clusters of DSI Studio's files are bundles, each with a path of its own."""

import os
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import dsi_studio
import numpy as np
import phantoms
import pytest
from joining import join
from scenes import drawn
from trees import find

from tractcap.drawing.views import Frame
from tractcap.errors import InputError, RecordError
from tractcap.inputs.bundles_within import bundles_within, split_bundle
from tractcap.inputs.filters import Filters
from tractcap.inputs.search import Source, fingerprint, search
from tractcap.inputs.tractograms import open_tractogram

STEPS = [
    np.cumsum(np.random.default_rng(at).integers(-9, 10, (n, 3)), axis=0) for at, n in enumerate([4, 9, 2, 300, 30])
]
STREAMLINES = [(steps / 16).astype("f4") for steps in STEPS]
"""They are the same numbers in both formats."""

MEMBERS = {"AF_L": [3, 0], "CST_R": [1, 2]}
"""The last streamline is of no bundle."""


def trx(place: Path, /, **how: bool) -> Path:
    return phantoms.save_trx(place / "all.trx", STREAMLINES, groups=MEMBERS, **how)


def tt(folder: Path, name: str, **more: object) -> Path:
    """With a cluster that has no name, and one of the same name as another."""
    found = {"cluster": np.array([[0, 2, 2, 1, 7]], "u2"), **dsi_studio.matrices(STREAMLINES, tracks=2), **more}
    (folder / f"{name}.txt").write_text("AF_L\nAF_L\nCST_R\n")
    return dsi_studio.save(folder / name, found)


FILES: dict[str, Callable[[Path], Path]] = {
    "trx": trx,
    "trx, compressed": partial(trx, compressed=True),
    "trx, folder": partial(trx, folder=True),
    "tt": partial(tt, name="all.tt"),
    "tt.gz": partial(tt, name="all.tt.gz"),
}


@pytest.mark.parametrize("max_points", [7, 1000])
@pytest.mark.parametrize("what", FILES)
def test_a_bundle_is_read_as_if_it_were_a_file(tmp_path: Path, what: str, max_points: int) -> None:
    path = FILES[what](tmp_path)
    assert bundles_within(path) == list(MEMBERS)
    for bundle, members in MEMBERS.items():
        tractogram = open_tractogram(path / bundle)
        header = tractogram.header
        for data in ("", *header.per_point, *header.per_streamline):
            chunks = list(tractogram.chunks(max_points, data))
            found = join(chunks, max_points)
            assert len(found) == len(members) <= header.streamlines
            for one, at in zip(found, sorted(members), strict=True):
                np.testing.assert_array_equal(one, STREAMLINES[at])
            if data == "height":
                heights = np.concatenate([one.per_point[data][one.new] for one in chunks])
                np.testing.assert_array_equal(heights.ravel(), np.concatenate(found)[:, 2])
            if data == "number":
                numbers = [one.per_streamline[data][: len(one.offsets) - 1 - one.tail] for one in chunks]
                assert np.ravel(np.concatenate(numbers)).tolist() == sorted(members)
        assert header.points >= sum(len(STREAMLINES[at]) for at in members)
        assert (header.promised, header.exact) == (None, False), "a group may name a streamline twice"
        assert tractogram.path == path / bundle


@pytest.mark.parametrize("ending", ["trx", "tt.gz"])
def test_a_streamline_longer_than_a_read_is_of_its_bundle_as_a_whole(tmp_path: Path, ending: str) -> None:
    long = np.cumsum(np.random.default_rng(0).integers(-2, 3, (200_000, 3)), axis=0).astype("f4") / 16
    streamlines = [long[:3], long, long[:2], long[::-1], long[:5]]
    path = tmp_path / f"all.{ending}"
    if ending == "trx":
        phantoms.save_trx(path, streamlines, groups={"a": [1, 4], "b": [0, 3]})
    else:
        clusters = np.array([[1, 0, 2, 1, 0]], "u2")
        dsi_studio.save(path, {**dsi_studio.matrices(streamlines), "cluster": clusters})
        (tmp_path / "all.tt.gz.txt").write_text("a\nb\n")
    for bundle, members in (("a", [1, 4]), ("b", [0, 3])):
        found = join(list(open_tractogram(path / bundle).chunks(1000)), 1000)
        for one, at in zip(found, members, strict=True):
            np.testing.assert_array_equal(one, streamlines[at])
        if ending == "trx":
            (chunk,) = list(open_tractogram(path / bundle).chunks(400_000, "height"))[-1:]
            np.testing.assert_array_equal(chunk.per_point["height"].ravel(), chunk.points[:, 2])


@pytest.mark.parametrize("what", FILES)
def test_the_same_picture_as_of_a_file_of_its_own(tmp_path: Path, what: str) -> None:
    path, frame = FILES[what](tmp_path), Frame((-20, -20, -20), (20, 20, 20))
    alone = phantoms.save(tmp_path / "alone.trk", [STREAMLINES[at] for at in (0, 3)])
    theirs, ours = (drawn(one, frame, size=100, max_points=50) for one in (alone, path / "AF_L"))
    for view, picture in theirs.items():
        assert picture.any()
        np.testing.assert_array_equal(picture, ours[view], view)


@pytest.mark.parametrize("what", FILES)
def test_a_search_finds_the_file_and_its_bundles(tmp_path: Path, what: str) -> None:
    """With the labels of the file's path, and pictures beside those of the file."""
    folder = tmp_path / "sub-1" / "ses-2"
    folder.mkdir(parents=True)
    path = FILES[what](folder)
    path = path.rename(folder / f"sub-1_ses-2_model-x_{path.name}")
    if (names := folder / "all.tt.txt").exists() or (names := folder / "all.tt.gz.txt").exists():
        names.rename(f"{path}.txt")
    file, *bundles = found = find(tmp_path)
    assert [source.path for source in found] == [path, path / "AF_L", path / "CST_R"]
    assert [source.bundle.key for source in bundles] == ["ArcuateFasciculus_L", "CorticospinalTract_R"]
    assert {(one.participant, one.session, one.variant, one.folder, one.file) for one in found} == {
        ("1", "2", (("model", "x"),), "sub-1/ses-2/figures", file.name)
    }
    assert [source.stem for source in bundles] == [f"{file.stem}_AF_L", f"{file.stem}_CST_R"]
    (one,) = search(tmp_path, Filters(tracts=["AF_left"])).sources
    assert one.path == path / "AF_L"
    assert find(path) == [Source(folder, one.name.removeprefix("sub-1/ses-2/")) for one in found]
    folder.rename(tmp_path / "of_nobody")
    (tmp_path / "sub-1").rmdir()
    for one in (tmp_path / "of_nobody").iterdir():
        one.rename(one.with_name(one.name.removeprefix("sub-1_ses-2_")))
    assert {source.folder for source in find(tmp_path)} == {"of_nobody/figures"}


def test_a_file_of_one_bundle_or_of_none_is_one_tractogram(tmp_path: Path) -> None:
    phantoms.save_trx(tmp_path / "one.trx", STREAMLINES, groups={"AF_L": [1, 2]})
    phantoms.save_trx(tmp_path / "none.trx", STREAMLINES)
    dsi_studio.save(tmp_path / "one.tt.gz", dsi_studio.matrices(STREAMLINES))
    (tmp_path / "one.tt.gz.txt").write_text("AF_L\n\nAF_L\n")
    dsi_studio.save(tmp_path / "none.tt", dsi_studio.matrices(STREAMLINES))
    (tmp_path / "a.trk").touch()
    (tmp_path / "a.trk.txt").write_text("AF_L\nCST_R\n")
    assert len(find(tmp_path)) == 5


def test_what_can_not_be_listed_has_no_bundles_and_stops_nothing(tmp_path: Path) -> None:
    """Reading the file will tell what is wrong with it; it isn't waited for."""
    os.mkfifo(tmp_path / "pipe.trx")
    (tmp_path / "words.trx").write_text("no zip archive")
    (tmp_path / "gone.trx").symlink_to("nowhere")
    with zipfile.ZipFile(tmp_path / "odd.trx", "w") as archive:
        archive.writestr("groups/a.uint32", b"")
        archive.writestr("groups/b.uint32", b"")
    data = (tmp_path / "odd.trx").read_bytes()
    (tmp_path / "odd.trx").write_bytes(data.replace(b"PK\x01\x02", b"PK\x09\x09"))
    tt(tmp_path, "names.tt").with_name("names.tt.txt").write_bytes(b"AF_L\nCST\xff\n")
    result = search(tmp_path, Filters())
    assert [source.name for source in result.sources] == ["gone.trx", "names.tt", "odd.trx", "pipe.trx", "words.trx"]
    (sentence,) = result.failed
    assert sentence.startswith(f"{tmp_path}/names.tt.txt")
    assert "its byte 8 is no UTF-8 text: the bundles within names.tt aren't shown by themselves" in sentence


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a/b.trx/AF_L", ("a/b.trx", "AF_L")),
        ("b.tt.gz/x y", ("b.tt.gz", "x y")),
        ("b.TT/AF_L", ("b.TT", "AF_L")),
        ("a/b.trx", ("a/b.trx", "")),
        ("a.trx/b.trk", ("a.trx/b.trk", "")),
        ("a.trx/b.json", ("a.trx/b.json", "")),
        ("a.trk/AF_L", ("a.trk/AF_L", "")),
        ("AF_L", ("AF_L", "")),
    ],
)
def test_what_is_the_path_of_a_bundle_in_a_file(name: str, parts: tuple[str, str]) -> None:
    assert split_bundle(name) == parts


def test_names_that_would_be_other_paths(tmp_path: Path) -> None:
    path = tt(tmp_path, "all.tt")
    path.with_name("all.tt.txt").write_text("a/b\n../../c.trk\n  d\te \n")
    assert bundles_within(path) == ["a_b", "______c_trk", "d_e"]
    assert join(list(open_tractogram(path / "a_b").chunks(1000)), 1000)[0].tolist() == STREAMLINES[0].tolist()


@pytest.mark.parametrize("ending", ["trx", "tt.gz"])
def test_what_says_which_bundle_it_is_in_is_part_of_the_files_state(tmp_path: Path, ending: str) -> None:
    path = trx(tmp_path) if ending == "trx" else tt(tmp_path, "all.tt.gz")
    file, before = fingerprint(path), fingerprint(path / "AF_L")
    if ending == "tt.gz":
        names = path.with_name("all.tt.gz.txt")
        names.write_text("CST_R\nAF_L\nAF_L, too\n")
        assert fingerprint(path / "AF_L") != before
    else:
        assert before == file
    assert fingerprint(path) == file


def test_bundles_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"all\.trx is not a whole TRX file: its group XY isn't one of numbers"):
        open_tractogram(trx(tmp_path) / "XY")
    path = tt(tmp_path, "all.tt", cluster=np.zeros((1, 3), "u2"))
    with pytest.raises(InputError, match="'cluster' is for 3 streamlines, but there are more"):
        list(open_tractogram(path / "AF_L").chunks(1000))
    dsi_studio.save(path, dsi_studio.matrices(STREAMLINES))
    with pytest.raises(InputError, match=r"all\.tt .* it has no clusters, although all\.tt\.txt names some"):
        open_tractogram(path / "AF_L")
    path = tt(tmp_path, "b.tt", cluster=np.full((1, 5), 9, "u2"))
    assert list(open_tractogram(path / "AF_L").chunks(1000)) == []


@pytest.mark.parametrize("folder", [False, True])
def test_names_of_groups_hold_dots_and_those_that_are_no_names_are_said(tmp_path: Path, folder: bool) -> None:
    (tmp_path / "in").mkdir()
    path = phantoms.save_trx(tmp_path / "in/all.trx", STREAMLINES, groups={"z": [4]}, folder=folder)
    names = {"a.b": 0, "a.c": 1, ".hid": 2, "sub/x": 3, "b.1": 2, "x.trk": 1}
    for name, number in names.items():
        content = np.array([number], "<u4").tobytes()
        if folder:
            (path / f"groups/{name}.uint32").parent.mkdir(exist_ok=True)
            (path / f"groups/{name}.uint32").write_bytes(content)
        else:
            with zipfile.ZipFile(path, "a") as archive:
                archive.writestr(f"groups/{name}.uint32", content)
    assert bundles_within(path) == ["a.b", "a.c", "b", "z"]
    for name in ("a.b", "a.c"):
        (found,) = join(list(open_tractogram(path / name).chunks(1000)), 1000)
        np.testing.assert_array_equal(found, STREAMLINES[names[name]])
    result = search(tmp_path / "in", Filters(), tmp_path / "out")
    (why,) = result.failed
    assert "its groups '.hid', 'sub/x', 'x.trk' aren't shown by themselves" in why
    stems = [source.stem for source in result.sources]
    assert len(set(stems)) == len(stems) == 5


def test_names_of_clusters_that_cannot_be_told_apart_are_refused(tmp_path: Path) -> None:
    path = tt(tmp_path, "all.tt")
    names = tmp_path / "all.tt.txt"
    names.write_text("a.b\na.c\n.d\n")
    assert bundles_within(path) == ["a.b", "a.c", "_d"]
    names.write_text("a/b\nc\na_b\n")
    with pytest.raises(RecordError, match=r"all.tt.txt can't be understood: its names 'a/b' and 'a_b' are both 'a_b'"):
        bundles_within(path)
