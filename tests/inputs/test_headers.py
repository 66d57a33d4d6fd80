"""What headers tell before points are read: counts that memory is planned by, to the last one, and what is too much."""

import gzip
import struct
import zipfile
from pathlib import Path

import numpy as np
import packings
import phantoms
import pytest

from tractcap.errors import InputError
from tractcap.inputs.tractograms import open_tractogram
from tractcap.inputs.tractograms.base import Header

STREAMLINES = packings.exact(40)
POINTS = sum(map(len, STREAMLINES))


def header(path: Path) -> Header:
    return open_tractogram(path).header


@pytest.mark.parametrize("datatype", ["Float32LE", "Float64BE"])
def test_a_tck_holds_at_most_a_point_for_each_triplet(tmp_path: Path, datatype: str) -> None:
    """The marks between streamlines and the one at the end among them."""
    packings.tck(tmp_path / "a.tck", STREAMLINES, datatype=datatype)
    triplets = POINTS + len(STREAMLINES) + 1
    found = header(tmp_path / "a.tck")
    assert (found.streamlines, found.points, found.exact, found.loaded) == (triplets, triplets, False, 0)
    content = (tmp_path / "a.tck").read_bytes()
    packed = gzip.compress(content)
    (tmp_path / "a.tck.gz").write_bytes(packed)
    begin = len(content) - triplets * 3 * (4 if datatype == "Float32LE" else 8)
    size = 3 * (4 if datatype == "Float32LE" else 8)
    assert header(tmp_path / "a.tck.gz").points == (1032 * len(packed) - begin) // size


def test_a_trk_of_which_the_header_counts_right_holds_as_many_points_as_that(tmp_path: Path) -> None:
    """Of a number before each streamline, of four for each point, and of one behind each streamline."""
    packings.trk(tmp_path / "a.trk", STREAMLINES)
    found = header(tmp_path / "a.trk")
    assert (found.points, found.promised, found.exact, found.loaded) == (POINTS, len(STREAMLINES), False, 0)
    assert found.streamlines == (len(STREAMLINES) * 2 + POINTS * 4) // 2, "as many as there were without points"


def with_count(path: Path, count: int) -> Path:
    data = bytearray(path.read_bytes())
    struct.pack_into("<i", data, 988, count)
    path.write_bytes(data)
    return path


def test_the_most_that_a_trk_may_promise(tmp_path: Path) -> None:
    packings.trk(tmp_path / "a.trk", STREAMLINES)
    most = header(tmp_path / "a.trk").streamlines
    assert header(with_count(tmp_path / "a.trk", most)).promised == most
    for count in (most + 1, -1, -(2**31)):
        with pytest.raises(InputError, match=f"promises {count:,} streamlines, but there is room for {most:,} at most"):
            header(with_count(tmp_path / "a.trk", count))


def test_a_trk_of_a_header_alone_is_empty_for_certain(tmp_path: Path) -> None:
    packings.trk(tmp_path / "a.trk", STREAMLINES)
    (tmp_path / "a.trk").write_bytes((tmp_path / "a.trk").read_bytes()[:1000])
    found = header(with_count(tmp_path / "a.trk", 0))
    assert (found.streamlines, found.points, found.exact, found.promised) == (0, 0, True, None)


@pytest.mark.parametrize("left", [1, 2, 3])
def test_a_trk_that_ends_within_a_number(tmp_path: Path, left: int) -> None:
    packings.trk(tmp_path / "a.trk", STREAMLINES)
    with (tmp_path / "a.trk").open("ab") as file:
        file.write(bytes(left))
    with pytest.raises(InputError, match="it ends within a number"):
        list(open_tractogram(tmp_path / "a.trk").chunks(1000))


@pytest.mark.parametrize("points", [-1, -2, -(2**31), 2**31 - 1, 10**6])
def test_a_streamline_of_a_trk_that_claims_what_can_not_be(tmp_path: Path, points: int) -> None:
    packings.trk(tmp_path / "a.trk", STREAMLINES)
    data = bytearray((tmp_path / "a.trk").read_bytes())
    second = 1000 + 4 * (2 + 4 * len(STREAMLINES[0]))
    assert struct.unpack_from("<i", data, second) == (len(STREAMLINES[1]),)
    struct.pack_into("<i", data, second, points)
    (tmp_path / "a.trk").write_bytes(data)
    with pytest.raises(InputError, match=f"streamline 2 claims {points:,} points, more than the file can hold"):
        list(open_tractogram(tmp_path / "a.trk").chunks(1000))


@pytest.mark.parametrize(
    ("promised", "more", "words"), [(3, 0, "2 of 3"), (3, 1, "2 of 3"), (3, 9, "2 of 3"), (0, 1, "2")]
)
def test_a_trk_that_is_cut_off_says_after_which_streamline(
    tmp_path: Path, promised: int, more: int, words: str
) -> None:
    """After so many whole ones and some numbers more."""
    packings.trk(tmp_path / "a.trk", STREAMLINES)
    data = (tmp_path / "a.trk").read_bytes()
    first_two = sum(4 * (2 + 4 * len(one)) for one in STREAMLINES[:2])
    (tmp_path / "a.trk").write_bytes(data[: 1000 + first_two + 4 * more])
    with pytest.raises(InputError, match=f"it ends after streamline {words}; it is cut off"):
        list(open_tractogram(with_count(tmp_path / "a.trk", promised)).chunks(1000))


@pytest.mark.parametrize("properties", [1, 2])
@pytest.mark.parametrize("points", [87_380, 87_381, 87_382])
def test_a_streamline_of_a_trk_whose_properties_come_with_the_next_read(
    tmp_path: Path, points: int, properties: int
) -> None:
    """Of 262,144 numbers, which are read at once, 87,381 points and their count take all."""
    long = np.cumsum(np.random.default_rng(0).normal(0, 0.1, (points, 3)), axis=0).astype(np.float32)
    names = ["one", "two"][:properties]
    data = {name: np.array([[3.0 + at], [5 + at], [7 + at]], np.float32) for at, name in enumerate(names)}
    lines = [long, *STREAMLINES[:2]]
    path = phantoms.save(tmp_path / "a.trk", lines, data_per_streamline=data)
    for at, name in enumerate(names):
        chunks = list(open_tractogram(path).chunks(10**6, name))
        found = np.concatenate([chunk.points for chunk in chunks])
        assert found == pytest.approx(np.concatenate(lines), abs=1e-4)
        assert sum(chunk.started for chunk in chunks) == 3
        last = np.concatenate([chunk.per_streamline[name].ravel() for chunk in chunks])
        assert last.tolist() == [3 + at, 5 + at, 7 + at]


def test_names_of_columns_of_a_trk(tmp_path: Path) -> None:
    """One name may stand for several; what has none is named by its place, from 1 on."""
    packings.trk(tmp_path / "a.trk", STREAMLINES)
    data = bytearray((tmp_path / "a.trk").read_bytes())
    struct.pack_into("<h", data, 36, 5)
    data[38 : 38 + 60] = b"fa".ljust(20, b"\0") + b"rgb\0" + b"3".ljust(16, b"\0") + bytes(20)
    (tmp_path / "a.trk").write_bytes(data)
    assert header(tmp_path / "a.trk").per_point == ("fa", "rgb[0]", "rgb[1]", "rgb[2]", "scalar5")
    assert header(tmp_path / "a.trk").per_streamline == ("number",)
    struct.pack_into("<h", data, 36, 2)
    (tmp_path / "a.trk").write_bytes(data)
    assert header(tmp_path / "a.trk").per_point == ("fa", "rgb[0]")


@pytest.mark.parametrize(
    ("sizes", "turn", "fits"),
    [
        ((2, 2, 2), 0.0, True),
        ((2, 2, 2), 0.5, True),
        ((2.01, 2, 2), 0.5, True),
        ((2.05, 2, 2), 0.0, False),
        ((2.05, 1.95, 2), np.pi / 4, False),  # along the axes of space they are as they should be, on average
    ],
)
def test_voxel_sizes_must_be_those_of_the_matrix_along_its_own_axes(
    tmp_path: Path, sizes: tuple[float, ...], turn: float, fits: bool
) -> None:
    """Within one in a hundred."""
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(3))
    data = bytearray(path.read_bytes())
    cosine, sine = 2 * np.cos(turn), 2 * np.sin(turn)
    matrix = np.array([[cosine, -sine, 0, 0], [sine, cosine, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]], "<f4")
    data[12:24] = np.array(sizes, "<f4").tobytes()
    data[440 : 440 + 64] = matrix.tobytes()
    path.write_bytes(data)
    assert any("voxel sizes and order don't fit its matrix" in note for note in header(path).notes) != fits


@pytest.mark.parametrize("offsets", ["uint32", "uint64", "int64"])
@pytest.mark.parametrize("last", [True, False])
def test_a_trx_may_leave_out_its_last_offset(tmp_path: Path, offsets: str, last: bool) -> None:
    packings.trx(tmp_path / "a.trx", STREAMLINES, offsets=offsets, method=None)
    place = tmp_path / f"a.trx/offsets.{offsets}"
    if not last:
        place.write_bytes(place.read_bytes()[: -np.dtype(offsets).itemsize])
    found = open_tractogram(tmp_path / "a.trx")
    assert (found.header.streamlines, found.header.exact, found.header.points) == (len(STREAMLINES), True, POINTS)
    chunks = list(found.chunks(10**6))
    assert np.array_equal(np.concatenate([chunk.points for chunk in chunks]), np.concatenate(STREAMLINES))
    assert np.diff(chunks[0].offsets).tolist() == list(map(len, STREAMLINES))


@pytest.mark.parametrize(
    "name", ["read.me.txt", "README", ".DS_Store", "dpv/notes.3.txt", "dps/a.b.c.float32", "dpv/fa.0.float32", "x.O"]
)
def test_what_is_no_array_in_a_trx_is_left_aside(tmp_path: Path, name: str) -> None:
    packings.trx(tmp_path / "a.trx", STREAMLINES, method=None)
    (tmp_path / "a.trx" / name).write_bytes(bytes(4 * POINTS))
    found = header(tmp_path / "a.trx")
    assert (found.per_point, found.per_streamline) == (("height",), ("number",))
    assert (found.streamlines, found.points) == (len(STREAMLINES), POINTS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda at: at[:-2], "promises 40 streamlines of .* points, but it holds 39 offsets"),
        (lambda at: np.append(at, at[-1]), "promises 40 streamlines of .* points, but it holds 42 offsets"),
        (lambda at: at + (at == 0), "offsets don't rise from zero to the number of points"),
        (lambda at: np.where(np.arange(len(at)) == 5, at + 100, at), "offsets don't rise from zero"),
        (lambda at: np.append(at[:-1], at[-1] + 1), "offsets don't rise from zero to the number of points"),
        (lambda at: np.append(at[:-1], at[-1] - 1), r"offsets end at [\d,]+, but it holds"),
    ],
    ids=["too few", "too many", "not from zero", "back", "beyond", "short"],
)
def test_offsets_of_a_trx_that_are_wrong(tmp_path: Path, change: object, words: str) -> None:
    packings.trx(tmp_path / "a.trx", STREAMLINES, offsets="int64", method=None)
    place = tmp_path / "a.trx/offsets.int64"
    place.write_bytes(change(np.frombuffer(place.read_bytes(), "<i8")).tobytes())
    with pytest.raises(InputError, match=words):
        list(open_tractogram(tmp_path / "a.trx").chunks(1000))


@pytest.mark.parametrize(
    ("method", "times"), [(zipfile.ZIP_STORED, 1), (zipfile.ZIP_DEFLATED, 1032), (zipfile.ZIP_BZIP2, 2**22)]
)
def test_the_most_that_a_packed_array_may_claim(tmp_path: Path, method: int, times: int) -> None:
    """As much as its method can shrink anything; how much it really is, is seen when it is read."""
    path = tmp_path / "a.trx"
    packings.trx(path, packings.exact(4), method=method)
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("dps/number.float32")
    data = bytearray(path.read_bytes())
    listed = data.rindex(b"dps/number.float32") - 46
    for more, refused in ((0, False), (1, True)):
        struct.pack_into("<I", data, listed + 24, info.compress_size * times + more)
        path.write_bytes(data)
        if refused:
            with pytest.raises(InputError, match=r"its dps/number\.float32 claims [\d,]+ bytes, more than it can hold"):
                header(path)
        else:
            assert header(path).streamlines == 4


@pytest.mark.parametrize(("text", "dtype", "bytes_"), [(False, "f4", 36), (False, "f8", 48), (True, "f4", 36)])
def test_memory_for_a_legacy_file_of_vtk(tmp_path: Path, text: bool, dtype: str, bytes_: int) -> None:
    """What loading a point takes, and all that the file holds beside points and their numbers."""
    packings.legacy(tmp_path / "a.vtk", STREAMLINES, text=text, dtype=dtype)
    found, size = header(tmp_path / "a.vtk"), (tmp_path / "a.vtk").stat().st_size
    assert (found.streamlines, found.exact, found.points) == (len(STREAMLINES), True, POINTS)
    assert found.loaded == POINTS * bytes_ + max(0, size - 20 * POINTS)


def test_memory_for_an_xml_file_of_vtk(tmp_path: Path) -> None:
    """What loading a point takes, and the largest array: one alone is loaded with them."""
    packings.xml(tmp_path / "a.vtp", STREAMLINES)
    assert header(tmp_path / "a.vtp").loaded == POINTS * 36 + POINTS * 4
    packings.xml(tmp_path / "b.vtp", STREAMLINES, dtype="f8")
    assert header(tmp_path / "b.vtp").loaded == POINTS * 48 + POINTS * 8


LEGACY = "# vtk DataFile Version 3.0\nlines\nASCII\nDATASET POLYDATA\n"
LEGACY += "POINTS 4 float\n0 0 0 1 0 0\n2 0 0 3 0 0\n"
LEGACY += "METADATA\nINFORMATION 0\n\n"
LEGACY += "LINES 2 6\n2 0 1\n2 2 3\n"


def test_data_of_all_kinds_in_a_legacy_file_are_named(tmp_path: Path) -> None:
    """Of points and of lines; behind each of them what comes next is still found."""
    text = LEGACY + "CELL_DATA 2\nSCALARS number int\nLOOKUP_TABLE default\n1 2\n"
    text += "POINT_DATA 4\nSCALARS two%20words float 2\nLOOKUP_TABLE default\n1 2 3 4 5 6 7 8\n"
    text += "LOOKUP_TABLE mine 2\n0 0 0 1 1 1 1 1\n"
    text += "COLOR_SCALARS rgb 3\n0 0 0 .1 .1 .1 .2 .2 .2 .3 .3 .3\nVECTORS v double\n" + "1 2 3\n" * 4
    text += "NORMALS n float\n" + "0 0 1\n" * 4 + "TEXTURE_COORDINATES uv 2 float\n" + "0 1\n" * 4
    text += "TENSORS t float\n" + "1 0 0\n0 1 0\n0 0 1\n\n" * 4
    text += "FIELD FieldData 2\nheight 1 4 float\n1 2 3 4\nid 1 4 unsigned_char\n1 2 3 4\n"
    (tmp_path / "a.vtk").write_text(text)
    found = header(tmp_path / "a.vtk")
    assert (found.streamlines, found.points) == (2, 4)
    assert found.per_point == ("two words", "rgb", "v", "n", "uv", "t", "height", "id")
    assert found.per_streamline == ("number",)


def test_a_text_file_needs_a_letter_for_each_number_and_a_space_between(tmp_path: Path) -> None:
    text = LEGACY.strip()[: -len("2 0 1\n2 2 3")] + "2 0 1 2 2 3"
    (tmp_path / "a.vtk").write_text(text)
    assert header(tmp_path / "a.vtk").streamlines == 2
    (tmp_path / "a.vtk").write_text(text[:-1])
    with pytest.raises(InputError, match="it would have to be 1 bytes longer; it is cut off"):
        header(tmp_path / "a.vtk")


@pytest.mark.parametrize("version", [42, 51])
@pytest.mark.parametrize("cut", [1, 3, 7])
def test_a_binary_file_of_vtk_says_how_much_is_cut_off(tmp_path: Path, version: int, cut: int) -> None:
    """Here of the values of its last array, ``height``, and the line's end behind it."""
    packings.legacy(tmp_path / "a.vtk", STREAMLINES, version=version)
    whole = (tmp_path / "a.vtk").read_bytes()
    assert whole.endswith(struct.pack(">f", STREAMLINES[-1][-1, 2]) + b"\n")
    (tmp_path / "a.vtk").write_bytes(whole[: -1 - cut])
    with pytest.raises(InputError, match=f"it would have to be {cut} bytes longer; it is cut off"):
        header(tmp_path / "a.vtk")


@pytest.mark.parametrize("offsets", ["1 3 4", "0 3 1 4", "0 2 3"], ids=["not from zero", "back", "not to the end"])
def test_lines_of_vtk_begin_where_those_before_them_end(tmp_path: Path, offsets: str) -> None:
    text = "# vtk DataFile Version 5.1\nlines\nASCII\nDATASET POLYDATA\nPOINTS 4 float\n0 0 0 1 0 0 2 0 0 3 0 0\n"
    for at, refused in ((" ".join(["0", *["2"] * (len(offsets.split()) - 2), "4"]), False), (offsets, True)):
        lines = f"LINES {len(at.split())} 4\nOFFSETS vtktypeint64\n{at}\nCONNECTIVITY vtktypeint64\n0 1 2 3\n"
        (tmp_path / "a.vtk").write_text(text + lines)
        if refused:
            with pytest.raises(InputError, match="its lines don't begin where the lines before them end"):
                list(open_tractogram(tmp_path / "a.vtk").chunks(1000))
        else:
            assert sum(len(chunk.points) for chunk in open_tractogram(tmp_path / "a.vtk").chunks(1000)) == 4


@pytest.mark.parametrize("count", [56, 57, 63, 64])
def test_eight_bits_of_a_binary_file_of_vtk_are_a_byte(tmp_path: Path, count: int) -> None:
    """What stands behind them is found."""
    start = f"# vtk DataFile Version 3.0\nlines\nBINARY\nDATASET POLYDATA\nPOINTS {count} float\n".encode()
    content = start + bytes(12 * count) + f"\nPOINT_DATA {count}\nSCALARS flag bit\nLOOKUP_TABLE default\n".encode()
    content += bytes(-(-count // 8)) + b"\nSCALARS fa float\nLOOKUP_TABLE default\n" + bytes(4 * count) + b"\n"
    content += b"LINES 1 3\n" + struct.pack(">3i", 2, 0, 1) + b"\n"
    (tmp_path / "a.vtk").write_bytes(content)
    found = header(tmp_path / "a.vtk")
    assert (found.per_point, found.streamlines, found.points) == (("flag", "fa"), 1, count)


def test_a_file_of_vtk_that_promises_more_than_its_length_may_hold(tmp_path: Path) -> None:
    """Each coordinate of a point takes two bytes at least; a line with one point too, and more."""
    start = "# vtk DataFile Version 3.0\nlines\nASCII\nDATASET POLYDATA\nPOINTS 0 float\n"
    for count, promised in ((16, True), (17, False)):
        text = f"{start}LINES {count} 0\n".ljust(96)
        (tmp_path / "a.vtk").write_text(text)
        if promised:
            assert header(tmp_path / "a.vtk").streamlines == count
        else:
            with pytest.raises(InputError, match="promises 17 points or lines, more than it can hold"):
                header(tmp_path / "a.vtk")
