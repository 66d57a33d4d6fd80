"""Data beside the points: what is asked for and nothing else, with its own points whatever the chunks."""

import builtins
import gzip
import io
import os
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import packings
import phantoms
import pytest

from tractcap.errors import InputError
from tractcap.inputs.tractograms import Chunk, open_tractogram
from tractcap.inputs.tractograms import tsf as tsf_module

CHUNKS = [7, 100, 50_000]
STAMP = "1475051263.7353"


def long_and_short() -> phantoms.Streamlines:
    """Streamlines longer than a chunk, and one longer than what is read at once, among short ones."""
    random = np.random.default_rng(3)
    lengths = [5, 120_000, 1, 37, 400, 2, 100, 3]
    return [random.normal(0, 30, (n, 3)).astype(np.float32) for n in lengths]


def few(max_points: int) -> phantoms.Streamlines:
    """The same; for the smallest chunks, of which there would be many, without the longest."""
    streamlines = long_and_short()
    return streamlines if max_points > 7 else [s for s in streamlines if len(s) < 1000]


def heights(path: Path, name: str, values: phantoms.Streamlines, **options: object) -> Path:
    return phantoms.save_tsf(path.with_name(name), values, **options)  # type: ignore[arg-type]


def with_tsf(path: Path, streamlines: phantoms.Streamlines, **options: object) -> Path:
    """A .tck whose .tsf holds the heights of its points."""
    phantoms.save(path, streamlines)
    name = path.name.replace(".tck", "_height.tsf")
    heights(path, name, [s[:, 2] for s in streamlines], **options)
    return path


def with_scalars(path: Path, streamlines: phantoms.Streamlines) -> Path:
    data = {"fa": [s[:, :1] for s in streamlines], "rgb": [s.copy() for s in streamlines]}
    numbers = np.arange(len(streamlines))[:, None]
    return phantoms.save(
        path, streamlines, data_per_point=data, data_per_streamline={"naught": numbers * 0, "number": numbers}
    )


def counted(chunks: list[Chunk], name: str) -> np.ndarray:
    """The value of each streamline, from the chunk in which it ends: there it must be known."""
    return np.concatenate([c.per_streamline[name][: len(c.offsets) - 1 - c.tail] for c in chunks])


def spread(chunks: list[Chunk], name: str) -> np.ndarray:
    return np.concatenate([c.per_point[name][c.new] for c in chunks])


@pytest.mark.parametrize("max_points", CHUNKS)
@pytest.mark.parametrize("datatype", ["Float32LE", "Float32BE", "Float64LE", "Float64BE"])
@pytest.mark.parametrize("end", [True, False])
@pytest.mark.parametrize("ending", ["tck", "tck.gz"])
def test_values_of_a_tsf_go_with_their_points(
    tmp_path: Path, max_points: int, datatype: str, end: bool, ending: str
) -> None:
    path = with_tsf(tmp_path / f"a.{ending}", few(max_points), datatype=datatype, end=end)
    chunks = list(open_tractogram(path).chunks(max_points, "height"))
    for chunk in chunks:
        assert list(chunk.per_point) == ["height"]
        np.testing.assert_array_equal(chunk.per_point["height"], chunk.points[:, 2])
    np.testing.assert_array_equal(spread(chunks, "height"), np.concatenate(few(max_points))[:, 2])


def test_a_tsf_may_be_compressed_and_have_streamlines_without_points(tmp_path: Path) -> None:
    streamlines = [np.empty((0, 3)), *phantoms.ragged(3), np.empty((0, 3)), *phantoms.ragged(2), np.empty((0, 3))]
    path = phantoms.raw_tck(tmp_path / "a.tck", streamlines)
    heights(path, "a.tsf.gz", [s[:, 2] for s in streamlines])
    (chunk,) = open_tractogram(path).chunks(50_000, "tsf")
    np.testing.assert_array_equal(chunk.per_point["tsf"], chunk.points[:, 2])


@pytest.mark.parametrize("max_points", CHUNKS)
def test_values_of_a_trk_go_with_their_points(tmp_path: Path, max_points: int) -> None:
    streamlines = few(max_points)
    tractogram = open_tractogram(with_scalars(tmp_path / "a.trk", streamlines))
    assert tractogram.header.per_point == ("fa", "rgb[0]", "rgb[1]", "rgb[2]")
    assert tractogram.header.per_streamline == ("naught", "number")
    for name, axis in (("fa", 0), ("rgb[1]", 1)):
        for chunk in tractogram.chunks(max_points, name):
            assert list(chunk.per_point) == [name]
            assert not chunk.per_streamline
            np.testing.assert_allclose(chunk.per_point[name], chunk.points[:, axis], atol=1e-4)
    chunks = list(tractogram.chunks(max_points, "number"))
    assert all(list(chunk.per_streamline) == ["number"] and not chunk.per_point for chunk in chunks)
    np.testing.assert_array_equal(counted(chunks, "number"), np.arange(len(streamlines)))


@pytest.mark.parametrize("max_points", CHUNKS)
@pytest.mark.parametrize("kind", [{}, {"compressed": True}, {"folder": True}])
def test_values_of_a_trx_go_with_their_points(tmp_path: Path, kind: dict[str, bool], max_points: int) -> None:
    streamlines = few(max_points)
    tractogram = open_tractogram(phantoms.save_trx(tmp_path / "a.trx", streamlines, **kind))
    assert sorted(tractogram.header.per_point) == ["height", "place"]
    assert sorted(tractogram.header.per_streamline) == ["number", "pair"]
    for name, axes in (("height", slice(2, 3)), ("place", slice(0, 3))):
        for chunk in tractogram.chunks(max_points, name):
            assert list(chunk.per_point) == [name]
            assert not chunk.per_streamline
            expected = chunk.points[:, axes]
            np.testing.assert_array_equal(chunk.per_point[name], expected[:, 0] if name == "height" else expected)
    numbers = np.arange(len(streamlines))
    found = counted(list(tractogram.chunks(max_points, "number")), "number")
    np.testing.assert_array_equal(found, numbers)
    found = counted(list(tractogram.chunks(max_points, "pair")), "pair")
    np.testing.assert_array_equal(found, np.stack([numbers, numbers**2], axis=1))


@pytest.mark.parametrize("max_points", CHUNKS)
def test_members_of_a_group_are_one_and_others_zero(tmp_path: Path, max_points: int) -> None:
    streamlines = few(max_points)
    groups = {"left": [6, 0, 1], "none": [], "all": list(range(len(streamlines)))}
    tractogram = open_tractogram(phantoms.save_trx(tmp_path / "a.trx", streamlines, groups=groups))
    for name, members in groups.items():
        assert f"group:{name}" in tractogram.header.per_streamline
        chunks = list(tractogram.chunks(max_points, f"group:{name}"))
        assert {chunk.per_streamline[f"group:{name}"].dtype for chunk in chunks} == {np.dtype(np.float32)}
        found = counted(chunks, f"group:{name}")
        np.testing.assert_array_equal(found, np.isin(np.arange(len(streamlines)), members))


def with_group(path: Path, numbers: np.ndarray) -> Path:
    """Give a packed .trx the group ``odd``, as it is."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"groups/odd.{numbers.dtype.name}", numbers.tobytes())
    return path


@pytest.mark.parametrize(
    ("number", "kind"), [(5, np.uint32), (2**32 - 1, np.uint32), (2**63, np.uint64), (-1, np.int64)]
)
def test_a_group_that_names_a_streamline_that_is_not_there(tmp_path: Path, number: int, kind: type) -> None:
    path = with_group(phantoms.save_trx(tmp_path / "a.trx", phantoms.ragged(5)), np.array([4, number], kind))
    tractogram = open_tractogram(path)
    assert list(tractogram.chunks(100)), "who doesn't ask for the group has no need of it"
    with pytest.raises(InputError, match=rf"groups/odd.\w+ names streamline {number}, but it holds 5 ") as raised:
        list(tractogram.chunks(100, "group:odd"))
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_trx_with_all_that_the_specifications_example_has(tmp_path: Path, method: int) -> None:
    """Half precision, groups of int64 that name some streamlines twice, colours in bytes, data of groups."""
    streamlines = packings.exact(40)
    members = np.array([7, 3, 3, 39, 0], "<i8")
    colors = np.arange(120, dtype=np.uint8).reshape(40, 3)
    packings.trx(tmp_path / "a.trx", streamlines, dtype="float16", offsets="uint64", method=method)
    with zipfile.ZipFile(tmp_path / "a.trx", "a", method) as archive:
        archive.writestr("groups/CC.int64", members.tobytes())
        archive.writestr("groups/CST_L.int64", members[:2].tobytes())
        archive.writestr("dps/commit_colors.3.uint8", colors.tobytes())
        archive.writestr("dps/clusters_QB.uint16", np.arange(40, dtype="<u2").tobytes())
        archive.writestr("dpg/CC/shuffle_colors.3.uint8", bytes(3))
        archive.writestr("dpg/CC/mean_fa.float16", bytes(2))
    tractogram = open_tractogram(tmp_path / "a.trx")
    assert tractogram.header.per_point == ("height",)
    assert set(tractogram.header.per_streamline) == {
        "number", "commit_colors", "clusters_QB", "group:CC", "group:CST_L"
    }  # fmt: skip
    found = counted(list(tractogram.chunks(50, "group:CC")), "group:CC")
    np.testing.assert_array_equal(np.flatnonzero(found), [0, 3, 7, 39])
    found = counted(list(tractogram.chunks(50, "commit_colors")), "commit_colors")
    np.testing.assert_array_equal(found, colors)
    assert found.dtype == np.uint8


def test_a_tsf_as_tcksample_writes_it(tmp_path: Path) -> None:
    """MRtrix 3.0.4: fields of its history, a count with and without zeros, and no infinity at the end."""
    streamlines = packings.exact(13)
    phantoms.raw_tck(tmp_path / "a.tck", streamlines)
    values = np.concatenate([part for one in streamlines for part in (one[:, 2], [np.nan])]).astype("<f4")
    header = (
        "mrtrix track scalars    \n"
        "command_history: tcksample a.tck mni152.nii.gz a_t1.tsf  (version=3.0.4)\n"
        "dimensions: (157, 189, 136)\nmrtrix_version: 3.0.4\nvoxel_order: RAS\nvoxel_sizes: (1.0, 1.0, 1.0)\n"
        "datatype: Float32LE\nfile: . 300\ncount: 13\ntotal_count: 13\nEND\n"
    )
    (tmp_path / "a_t1.tsf").write_bytes(header.encode().ljust(300, b"\0") + values.tobytes())
    found = spread(list(open_tractogram(tmp_path / "a.tck").chunks(20, "t1")), "t1")
    np.testing.assert_array_equal(found, np.concatenate(streamlines)[:, 2])


@pytest.mark.parametrize("ending", ["trk", "tck", "trx", "vtk"])
def test_data_that_was_not_asked_for_is_not_there(tmp_path: Path, ending: str) -> None:
    make = {"trk": with_scalars, "tck": with_tsf}.get(ending, phantoms.save)
    tractogram = open_tractogram(make(tmp_path / f"a.{ending}", phantoms.ragged(5)))
    assert all(not chunk.per_point and not chunk.per_streamline for chunk in tractogram.chunks(100))


def test_data_that_was_not_asked_for_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = with_tsf(tmp_path / "a.tck", phantoms.ragged(5))
    opened: list[str] = []
    for module, name in ((builtins, "open"), (io, "FileIO")):
        original = getattr(module, name)

        def spy(file: object, *rest: object, original: Callable[..., object] = original, **more: object) -> object:
            opened.append(str(file))
            return original(file, *rest, **more)

        monkeypatch.setattr(module, name, spy)
    tractogram = open_tractogram(path)
    list(tractogram.chunks(100))
    assert opened.count(str(path)) == 2, "else this test sees nothing"
    assert not [name for name in opened if name.endswith(".tsf")]
    list(tractogram.chunks(100, "height"))
    assert [name for name in opened if name.endswith(".tsf")]


def test_broken_arrays_of_a_trx_hurt_only_who_asks_for_them(tmp_path: Path) -> None:
    path = phantoms.save_trx(tmp_path / "a.trx", phantoms.ragged(50))
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        place = archive.getinfo("dpv/height.float32").header_offset + 300
    data[place] ^= 255
    path.write_bytes(data)
    tractogram = open_tractogram(path)
    list(tractogram.chunks(100))
    list(tractogram.chunks(100, "place"))
    with pytest.raises(InputError, match="Bad CRC-32"):
        list(tractogram.chunks(100, "height"))


@pytest.mark.parametrize("ending", ["trk", "tck", "trx", "vtk"])
def test_data_that_is_not_there_is_refused_at_once(tmp_path: Path, ending: str) -> None:
    make = {"trk": with_scalars, "tck": with_tsf}.get(ending, phantoms.save)
    path = make(tmp_path / f"a.{ending}", phantoms.ragged(5))
    has = {
        "trk": r"it has fa, rgb\[0\], rgb\[1\], rgb\[2\], naught, number",
        "tck": "it has height",
        "trx": "it has .*number",
        "vtk": "it has none",
    }[ending]
    with pytest.raises(InputError, match=rf"{re.escape(str(path))} has no data 'md' to colour by: {has}.*\.$"):
        open_tractogram(path).chunks(100, "md")


NAMES = {
    "AF_L.tck": {"AF_L.tsf": "tsf", "AF_L_fa.tsf": "fa", "AF_L.md.tsf": "md", "AF_L-r.d-x_y.TSF": "r.d-x_y"},
    "AF_L_2.tck": {"AF_L_2.tsf": "tsf", "AF_L_2_fa.tsf.gz": "fa"},
    "AF.tck.gz": {"AF_R.tsf": "R"},
    "AF_L_3.trk": {},
}
STRAY = ["AF_.tsf", "AFX.tsf", "AFtract.tsf", "B_AF_L.tsf", "AF_L_fa.tsf.txt", ".tsf", "AF_L_ad.txt"]


def test_a_tsf_belongs_to_the_longest_stem(tmp_path: Path) -> None:
    for name, belonging in NAMES.items():
        phantoms.save(tmp_path / name, phantoms.ragged(3))
        for other in belonging:
            (tmp_path / other).touch()
    for name in STRAY:
        (tmp_path / name).touch()
    (tmp_path / "AF_L_3_fa.tsf").touch()  # only the .tck beside it can own it
    for name, belonging in NAMES.items():
        expected = sorted([*belonging.values(), *["3_fa"] * (name == "AF_L.tck")])
        assert list(open_tractogram(tmp_path / name).header.per_point) == expected


def test_a_relative_path_and_a_folder_that_can_not_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_tsf(tmp_path / "a.tck", phantoms.ragged(3))
    monkeypatch.chdir(tmp_path)
    assert open_tractogram(Path("a.tck")).header.per_point == ("height",)

    def refuse(path: object) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tsf_module.os, "listdir", refuse)
    assert open_tractogram(tmp_path / "a.tck").header.per_point == ()
    assert list(open_tractogram(tmp_path / "a.tck").chunks(1000))


def test_two_files_of_the_same_data_are_not_chosen_from(tmp_path: Path) -> None:
    path = with_tsf(tmp_path / "a.tck", phantoms.ragged(3))
    shutil.copy(tmp_path / "a_height.tsf", tmp_path / "a.height.tsf")
    tractogram = open_tractogram(path)
    assert tractogram.header.per_point == ("height",)
    assert list(tractogram.chunks(1000))
    with pytest.raises(InputError, match=r"a\.height\.tsf and .*a_height\.tsf both hold data 'height' of .*a\.tck"):
        list(tractogram.chunks(1000, "height"))


@pytest.mark.parametrize(("tck", "tsf", "agree"), [(STAMP, STAMP, True), (STAMP, "", True), ("", STAMP, True),
                                                   (STAMP, STAMP + "1", False)])  # fmt: skip
def test_timestamps_must_agree_where_both_have_one(tmp_path: Path, tck: str, tsf: str, agree: bool) -> None:
    streamlines = phantoms.ragged(3)
    path = phantoms.raw_tck(tmp_path / "a.tck", streamlines, timestamp=tck)
    heights(path, "a.tsf", [s[:, 2] for s in streamlines], **({"timestamp": tsf} if tsf else {}))
    chunks = open_tractogram(path).chunks(1000, "tsf")
    if agree:
        assert list(chunks)
    else:
        with pytest.raises(InputError, match=rf"a\.tsf was not made for .*a\.tck as it is now: .*{tsf} and {tck}"):
            list(chunks)


LONG = 100_000
"""Points: more than are read at once, so that what is wrong lies in another read than what was right."""


def values(*lengths: int) -> phantoms.Streamlines:
    return [np.arange(n, dtype=np.float32) for n in lengths]


OTHER: dict[str, tuple[phantoms.Streamlines, bool, str]] = {
    "one value too few": (values(10, LONG, 19, 5), False, "streamline 3 has fewer values than points"),
    "one value too many": (values(10, LONG, 21, 5), False, "streamline 3 has more values than points"),
    "too few in the first": (values(9, LONG, 20, 5), False, "streamline 1 has fewer values than points"),
    "too few in the long one": (values(10, LONG - 1, 21, 5), False, "streamline 2 has fewer values than points"),
    "too many in the long one": (values(10, LONG + 1, 19, 5), False, "streamline 2 has more values than points"),
    "another order": (values(5, LONG, 20, 10), False, "streamline 1 has fewer values than points"),
    "a streamline missing": (values(10, LONG, 20), False, "its values end in streamline 4"),
    "a streamline missing before the end mark": (values(10, LONG, 20), True, "its values end in streamline 4"),
    "the last cut off": (values(10, LONG, 20, 3), True, "streamline 4 has fewer values than points"),
    "one streamline more": (values(10, LONG, 20, 5, 5), True, "it goes on after the last of them, streamline 4"),
    "an empty one more": (values(10, LONG, 20, 5, 0), False, "it goes on after the last of them, streamline 4"),
    "nothing": ([], False, "its values end in streamline 1"),
    "nothing but the end mark": ([], True, "its values end in streamline 1"),
    "not a number in place of a value": (
        [*values(10, LONG), np.array([1, np.nan, *range(18)]), *values(5)],
        False,
        "streamline 3 has fewer values than points",
    ),
    "not a number in place of the first": (
        [np.array([np.nan, *range(9)]), *values(LONG, 20, 5)],
        False,
        "streamline 1 has fewer values than points",
    ),
    "infinite in place of a value": (
        [*values(10, LONG), np.array([1, -np.inf, *range(18)]), *values(5)],
        False,
        "its values end in streamline 3",
    ),
}


@pytest.mark.parametrize("what", OTHER)
@pytest.mark.parametrize("name", ["a.tsf", "a.tsf.gz"])
def test_a_tsf_of_other_streamlines_is_refused_by_the_streamline(tmp_path: Path, what: str, name: str) -> None:
    found, end, sentence = OTHER[what]
    points = [np.ones((n, 3), np.float32) for n in (10, LONG, 20, 5)]
    path = phantoms.raw_tck(tmp_path / "a.tck", points)
    tsf = heights(path, name, found, end=end)
    with pytest.raises(InputError) as raised:
        list(open_tractogram(path).chunks(1000, "tsf"))
    assert str(raised.value).startswith(f"{tsf} doesn't match {path}: {sentence}. ")


DAMAGED: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "empty": ("tsf", lambda data: b"", "doesn't begin with 'mrtrix track scalars'"),
    "a .tck by another name": ("tsf", lambda data: b"mrtrix tracks\nEND\n", "doesn't begin with"),
    "header without END": ("tsf", lambda data: data[:60], "no END"),
    "header cut off": ("tsf", lambda data: data[:30], "no END"),
    "an unknown data type": ("tsf", lambda data: data.replace(b"Float32LE", b"Decimal16"), "datatype is 'Decimal16'"),
    "another data type": ("tsf", lambda data: data.replace(b"Float32LE", b"Float64LE"), "streamline 1"),
    "another byte order": ("tsf", lambda data: data.replace(b"Float32LE", b"Float32BE"), "streamline 1"),
    "offset beyond the file": ("tsf", lambda data: data.replace(b". 200", b". 999999999999"), "end in streamline 1"),
    "offset beyond any file": ("tsf", lambda data: data.replace(b". 200", b". " + b"9" * 9000), "another file"),
    "offset that is no number": ("tsf", lambda data: data.replace(b". 200", ". ²".encode()), "another file"),
    "offset less than none": ("tsf", lambda data: data.replace(b". 200", b". -10"), "another file"),
    "offset within the header": ("tsf", lambda data: data.replace(b". 200", b". 10"), "byte 10, within its header"),
    "values in another file": ("tsf", lambda data: data.replace(b". 200", b"b.dat 0"), "another file"),
    "cut off": ("tsf", lambda data: data[:-800], "values end in streamline"),
    "cut off within a number": ("tsf", lambda data: data[:-2], "values end in streamline 50"),
    "a byte too many": ("tsf", lambda data: data + b"\0", "goes on after the last of them, streamline 50"),
    "gzip cut off": ("tsf.gz", lambda data: data[:-500], "what it holds can.t be unpacked, since it is cut off"),
    "gzip cut off in its header": (
        "tsf.gz",
        lambda data: data[:12],
        "what it holds can.t be unpacked, since it is cut off",
    ),
    "gzip broken in its header": (
        "tsf.gz",
        lambda data: data[:12] + b"\xff" * 9 + data[21:],
        "what it holds can.t be unpacked",
    ),
    "no gzip": ("tsf.gz", gzip.decompress, "not compressed as its name says"),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_damaged_tsf_is_refused_and_leaves_its_tck_alone(tmp_path: Path, what: str) -> None:
    ending, damage, sentence = DAMAGED[what]
    streamlines = phantoms.ragged(50)
    path = phantoms.save(tmp_path / "a.tck", streamlines)
    tsf = heights(path, f"a.{ending}", [s[:, 2] for s in streamlines])
    tsf.write_bytes(damage(tsf.read_bytes()))
    tractogram = open_tractogram(path)
    assert tractogram.header.per_point == ("tsf",)
    assert sum(chunk.started for chunk in tractogram.chunks(1000)) == 50
    with pytest.raises(InputError, match=sentence) as raised:
        list(tractogram.chunks(1000, "tsf"))
    assert str(raised.value).startswith(str(tsf))
    assert str(raised.value).endswith(".")


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_a_tsf_that_is_no_regular_file_is_not_waited_for(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = phantoms.save(tmp_path / "a.tck", phantoms.ragged(3))
    make(tmp_path / "a.tsf")
    tractogram = open_tractogram(path)
    assert list(tractogram.chunks(1000))
    with pytest.raises(InputError, match=r"a\.tsf is not a regular file"):
        list(tractogram.chunks(1000, "tsf"))


def test_a_tsf_that_has_gone(tmp_path: Path) -> None:
    path = with_tsf(tmp_path / "a.tck", phantoms.ragged(3))
    tractogram = open_tractogram(path)
    (tmp_path / "a_height.tsf").unlink()
    with pytest.raises(InputError, match=r"a_height\.tsf doesn't exist: give one with a value"):
        list(tractogram.chunks(1000, "height"))


def test_a_tck_that_is_cut_off_is_told_of_itself(tmp_path: Path) -> None:
    path = with_tsf(tmp_path / "a.tck.gz", phantoms.ragged(300))
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(InputError) as raised:
        list(open_tractogram(path).chunks(1000, "height"))
    assert str(raised.value).startswith(
        f"{path} can't be read as a MRtrix (.tck) file: what it holds can't be unpacked"
    )
