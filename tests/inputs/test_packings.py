"""The same streamlines are the same, whatever the format and the packing of their file."""

import struct
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import packings
import phantoms
import pytest
from packings import PACKINGS
from scenes import drawn

from tractcap.drawing.extent import measure
from tractcap.drawing.views import Frame
from tractcap.inputs.tractograms import FORMATS, Chunk, open_tractogram
from tractcap.records.options import DATA, DENSITY, POSITION, Coloring

CHUNKS = [7, 50_000]


def written(folder: Path, what: str, streamlines: phantoms.Streamlines) -> Path:
    path = folder / PACKINGS[what].name
    PACKINGS[what].write(path, streamlines)
    return path


def of_streamlines(chunks: list[Chunk], name: str) -> np.ndarray:
    """The value of each streamline, from the chunk in which it ends."""
    return np.concatenate([one.per_streamline[name][: len(one.offsets) - 1 - one.tail] for one in chunks])


def test_every_format_is_among_the_packings() -> None:
    assert {"." + packing.name.split(".", 1)[1] for packing in PACKINGS.values()} == set(FORMATS)


@pytest.mark.parametrize("what", PACKINGS)
def test_points_counts_and_data_are_the_same(tmp_path: Path, what: str) -> None:
    streamlines = packings.exact()
    joined, lengths = np.concatenate(streamlines), [len(one) for one in streamlines]
    tractogram = open_tractogram(written(tmp_path, what, streamlines))
    header, packing = tractogram.header, PACKINGS[what]
    assert (header.per_point, header.per_streamline) == (packing.per_point, packing.per_streamline)
    assert header.points >= len(joined)
    assert header.streamlines == len(streamlines) if header.exact else header.streamlines > len(streamlines)
    assert header.promised in (None, len(streamlines))
    for most in CHUNKS:
        for name in ("", *packing.per_point, *packing.per_streamline):
            chunks = list(tractogram.chunks(most, name))
            np.testing.assert_array_equal(np.concatenate([one.points[one.new] for one in chunks]), joined)
            assert sum(one.started for one in chunks) == len(streamlines)
            if name in packing.per_point:
                found = np.concatenate([one.per_point[name][one.new] for one in chunks])
                np.testing.assert_array_equal(found, joined[:, 2])
            elif name:
                np.testing.assert_array_equal(of_streamlines(chunks, name), np.arange(len(streamlines)))
        assert [n for one in tractogram.chunks(50_000) for n in np.diff(one.offsets)] == lengths


@pytest.mark.parametrize("what", PACKINGS)
def test_no_streamlines_are_no_streamlines(tmp_path: Path, what: str) -> None:
    """A bundle that was looked for and not found is empty in every format, and nothing is wrong with it."""
    tractogram = open_tractogram(written(tmp_path, what, []))
    assert list(tractogram.chunks(1000)) == []
    assert tractogram.header.promised in (None, 0)


EMPTY = {
    "of MRtrix": ("a.vtk", b"# vtk DataFile Version 1.0\nBINARY\nDATASET POLYDATA\nPOINTS 0 float"),
    "with a title": (
        "a.vtk",
        b"# vtk DataFile Version 3.0\nlines\nASCII\nDATASET POLYDATA\nPOINTS 0 float\nLINES 0 0\n",
    ),
    "with Windows' ends of lines": (
        "a.fib",
        b"# vtk DataFile Version 3.0\r\nlines\r\nASCII\r\nDATASET POLYDATA\r\nPOINTS 0 float\r\nLINES 0 0\r\n",
    ),
}


@pytest.mark.parametrize("what", EMPTY)
def test_empty_files_of_vtk(tmp_path: Path, what: str) -> None:
    name, content = EMPTY[what]
    (tmp_path / name).write_bytes(content)
    assert list(open_tractogram(tmp_path / name).chunks(1000)) == []


def test_an_empty_trx_may_hold_its_header_alone(tmp_path: Path) -> None:
    """So trx-python writes it."""
    import trx.trx_file_memmap as tmm

    path = tmp_path / "a.trx"
    tmm.save(tmm.TrxFile(), str(path))
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["header.json"], "else this test shows nothing"
    assert list(open_tractogram(path).chunks(1000)) == []


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, None])
def test_half_precision_is_read_as_it_was_rounded(tmp_path: Path, method: int | None) -> None:
    streamlines = phantoms.ragged(30)
    packings.trx(tmp_path / "a.trx", streamlines, dtype="float16", method=method)
    (chunk,) = open_tractogram(tmp_path / "a.trx").chunks(50_000)
    np.testing.assert_array_equal(chunk.points, np.concatenate(streamlines).astype("f2").astype("f4"))


FRAME = Frame((-60, -30, -20), (0, 30, 40))
SOME = [
    "trk",
    "trk.gz, big endian",
    "tck, Float64BE",
    "tck.gz, Float32LE",
    "trx, float16, LZMA",
    "trx, float64, folder",
    "vtk, 51, binary, f8",
    "fib, 42, text, f4",
    "vtp, Appended, LZ4, f4, little endian",
    "tt.gz, three matrices",
    "tt.gz, place last",
]
COLORINGS = {
    "direction": Coloring(),
    "position": Coloring(POSITION),
    "density": Coloring(DENSITY, limits=(0, 10)),
    "height": Coloring(DATA, "height", limits=(0, 20)),
    "number": Coloring(DATA, "number", limits=(0, 40)),
}


@pytest.mark.parametrize("color", COLORINGS)
def test_pictures_and_figures_are_the_same(tmp_path: Path, color: str) -> None:
    """To the last bit, in all packings that carry the data."""
    pictures, figures = {}, {}
    for what in SOME:
        packing = PACKINGS[what]
        if color in ("height", "number") and color not in packing.per_point + packing.per_streamline:
            continue
        folder = tmp_path / what.replace(" ", "")
        folder.mkdir()
        path = written(folder, what, packings.exact())
        pictures[what] = drawn(path, FRAME, size=80, views=("left", "superior"), coloring=COLORINGS[color])
        extent = measure(open_tractogram(path), 1000, lambda points: None, COLORINGS[color])
        figures[what] = {**vars(extent), "lengths": extent.lengths.dump()}
    assert len(pictures) >= (7 if color == "number" else 9), "number isn't carried by .tck and .tt"
    for what in pictures:
        assert figures[what] == figures["trk"], what
        for view, pixels in pictures["trk"].items():
            assert pixels.any()
            np.testing.assert_array_equal(pictures[what][view], pixels, f"{what}, {view}")


SPACES = {
    f"{kind} {encoding}".strip(): (name, write)
    for kind, name, encoding, write in (
        ("legacy", "a.vtk", "binary 4.2", packings.legacy),
        ("legacy", "a.vtk", "binary 5.1", partial(packings.legacy, version=51)),
        ("legacy", "a.fib", "text", partial(packings.legacy, text=True)),
        ("XML", "a.vtp", "text", partial(packings.xml, mode="Ascii")),
        *(
            ("XML", "a.vtp", f"{mode} {packer}{' as text' * encoded}",
             partial(packings.xml, mode=mode, packer=packer, encoded=encoded))
            for mode, encoded in (("Binary", False), ("Appended", False), ("Appended", True))
            for packer in ("None", "ZLib", "LZ4", "LZMA")
        ),
        ("XML", "a.vtp", "big endian", partial(packings.xml, big=True)),
    )
}  # fmt: skip


@pytest.mark.parametrize("option", ["", "RAS", "LPS"])
@pytest.mark.parametrize("space", ["RAS", "LPS"])
@pytest.mark.parametrize("how", SPACES)
def test_what_field_data_say_of_the_space_counts(tmp_path: Path, how: str, space: str, option: str) -> None:
    """As 3D Slicer writes it; the option is for files that say nothing."""
    streamlines = packings.exact(5)
    sign = np.array([-1, -1, 1] if space == "LPS" else [1, 1, 1], np.float32)
    name, write = SPACES[how]
    write(tmp_path / name, [one * sign for one in streamlines], space=space)
    tractogram = open_tractogram(tmp_path / name, vtk_space=option)
    assert not tractogram.header.notes
    (chunk,) = tractogram.chunks(1000)
    np.testing.assert_array_equal(chunk.points, np.concatenate(streamlines))


@pytest.mark.parametrize("how", SPACES)
def test_where_nothing_says_the_space_that_is_said(tmp_path: Path, how: str) -> None:
    name, write = SPACES[how]
    write(tmp_path / name, packings.exact(5))
    assert open_tractogram(tmp_path / name).header.notes == ("the file doesn't say its space: RAS+ mm is taken",)
    assert not open_tractogram(tmp_path / name, vtk_space="LPS").header.notes


def test_a_file_of_several_pieces_is_counted_whole(tmp_path: Path) -> None:
    """ParaView writes so in parallel; the numbers of the first piece aren't the file's."""
    packings.xml(tmp_path / "one.vtp", packings.exact(3), mode="Ascii")
    text = (tmp_path / "one.vtp").read_text()
    piece = text[text.index("<Piece") : text.index("</PolyData>")]
    (tmp_path / "a.vtp").write_text(text.replace(piece, piece * 40))
    tractogram = open_tractogram(tmp_path / "a.vtp")
    assert (tractogram.header.streamlines, tractogram.header.exact) == (120, True)
    assert sum(chunk.started for chunk in tractogram.chunks(1000)) == 120
    found = np.concatenate([chunk.per_point["height"][chunk.new] for chunk in tractogram.chunks(1000, "height")])
    np.testing.assert_array_equal(found, np.tile(np.concatenate(packings.exact(3))[:, 2], 40))


def test_data_of_lines_behind_other_cells(tmp_path: Path) -> None:
    """VTK's values of cells begin with those of the vertices."""
    text = "# vtk DataFile Version 3.0\nlines\nASCII\nDATASET POLYDATA\nPOINTS 4 float\n0 0 0 1 0 0 2 0 0 3 0 0\n"
    text += "VERTICES 1 2\n1 0\nLINES 2 6\n2 0 1\n2 2 3\nCELL_DATA 3\nSCALARS md float 1\nLOOKUP_TABLE default\n7 8 9\n"
    (tmp_path / "a.vtk").write_text(text)
    (chunk,) = open_tractogram(tmp_path / "a.vtk").chunks(1000, "md")
    np.testing.assert_array_equal(chunk.per_streamline["md"], [8, 9])


def test_memory_for_data_of_a_vtp_is_planned(tmp_path: Path) -> None:
    packings.xml(tmp_path / "a.vtp", packings.exact())
    bare = (tmp_path / "a.vtp").read_bytes().replace(b'Name="height"', b'NAME="height"')
    (tmp_path / "b.vtp").write_bytes(bare)
    with_data, without = (open_tractogram(tmp_path / name).header for name in ("a.vtp", "b.vtp"))
    assert with_data.loaded - without.loaded == 4 * (with_data.points - 40), "the largest array; number is another"


def test_a_space_that_is_not_known_or_said_twice_is_refused(tmp_path: Path) -> None:
    from tractcap.errors import InputError

    packings.legacy(tmp_path / "a.vtk", packings.exact(3), space="scanner")
    with pytest.raises(InputError, match="its space is scanner, which isn't known here: say by --vtk-space"):
        open_tractogram(tmp_path / "a.vtk")
    assert open_tractogram(tmp_path / "a.vtk", vtk_space="LPS")
    packings.legacy(tmp_path / "b.vtk", packings.exact(3), space="LPS", title="3D Slicer output. SPACE=RAS")
    with pytest.raises(InputError, match="its space is LPS and RAS: it can only be one"):
        open_tractogram(tmp_path / "b.vtk", vtk_space="LPS")


def lengths_of(path: Path) -> list[float]:
    (chunk,) = open_tractogram(path).chunks(50_000)
    parts = np.split(chunk.points, chunk.offsets[1:-1])
    return [float(np.linalg.norm(np.diff(one, axis=0), axis=1).sum()) for one in parts]


def unplaced(
    path: Path, version: int = 2, order: bytes = b"RAS", voxels: tuple[float, ...] = (1.25, 1.25, 2.5)
) -> Path:
    """A .trk as of Diffusion Toolkit or AFNI, whose header has no matrix: a line of 50 mm along each axis."""
    header = bytearray(1000)
    header[:6] = b"TRACK\0"
    struct.pack_into("<3h3f", header, 6, 192, 192, 55, *voxels)
    header[948:952] = order.ljust(4, b"\0")
    struct.pack_into("<3i", header, 988, 3, version, 1000)
    body = b""
    for axis in range(3):
        points = np.full((41, 3), 20, "<f4")
        points[:, axis] = 10 + np.linspace(0, 50, 41)
        body += struct.pack("<i", 41) + points.tobytes()
    path.write_bytes(bytes(header) + body)
    return path


UNKNOWN = "the header doesn't say where the image's origin lies: the place in the head is unknown"


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", [b"RAS", b"LPS", b"PIR", b"", b"   ", b"LAS "])
def test_a_trk_without_a_matrix_is_in_mm_and_says_that_its_place_is_unknown(
    tmp_path: Path, version: int, order: bytes
) -> None:
    path = unplaced(tmp_path / "a.trk", version, order)
    assert lengths_of(path) == pytest.approx([50] * 3, abs=1e-3)
    notes = open_tractogram(path).header.notes
    assert UNKNOWN in notes
    assert ("the header doesn't say the order of its voxels: LPS is taken, as by TrackVis" in notes) == (
        not order.strip()
    )
    (chunk,) = open_tractogram(path).chunks(1000)
    ahead = chunk.points[40] - chunk.points[0]  # along the first axis of the voxels
    side = {"R": (0, 1), "L": (0, -1), "P": (1, -1)}[(order.strip() or b"LPS").decode()[0]]
    assert ahead[side[0]] == pytest.approx(50 * side[1], abs=1e-3)


def test_a_trk_whose_matrix_and_voxel_sizes_differ_says_so(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(3))
    assert open_tractogram(path).header.notes == ()
    data = bytearray(path.read_bytes())
    struct.pack_into("<3f", data, 12, 1, 1, 1)
    path.write_bytes(data)
    assert open_tractogram(path).header.notes == (
        "the header's voxel sizes and order don't fit its matrix: the matrix is taken",
    )


def counted(path: Path) -> int:
    return sum(chunk.started for chunk in open_tractogram(path).chunks(1000))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("promised", [0, 1, 20, 59, 60])
def test_all_that_a_trk_holds_is_read_whatever_its_header_counts(tmp_path: Path, promised: int, packed: bool) -> None:
    path = tmp_path / ("a.trk" + ".gz" * packed)
    packings.trk(tmp_path / "plain.trk", phantoms.ragged(60))
    data = bytearray((tmp_path / "plain.trk").read_bytes())
    struct.pack_into("<i", data, 988, promised)
    path.write_bytes(packings.gzip.compress(data) if packed else data)
    header = open_tractogram(path).header
    assert (header.promised, header.exact) == (promised or None, False)
    assert header.streamlines >= 60
    assert header.points >= sum(map(len, phantoms.ragged(60)))
    assert counted(path) == 60


MRTRIX = {
    "no count": b"",
    "a stale smaller count": b"count: 20\n",
    "a larger count": b"count: 2000000000\n",
    "a count that is no number": b"count: many\n",
    "a key that begins with END": b"ENDING: yes\nEND_OF: this\ncount: 60\n",
    "a header of more than 1 MB": b"command_history: tckgen\n" * 60_000 + b"count: 60\n",
    "a line of more than 1 MB": b"command_history: " + b"END\nEND ".replace(b"\n", b" ") * 200_000 + b"\ncount: 60\n",
    "spaces around": b" count : 60 \n",
}


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
@pytest.mark.parametrize("datatype", ["Float32LE", "float64be"])
@pytest.mark.parametrize("what", MRTRIX)
def test_all_that_a_tck_holds_is_read_whatever_its_header_is_like(
    tmp_path: Path, what: str, datatype: str, ends: bytes
) -> None:
    streamlines = phantoms.ragged(60)
    header = b"mrtrix tracks\n" + MRTRIX[what] + f"datatype: {datatype}\n".encode()
    offset = 2 * len(header) + 100
    header = (header + f"file: . {offset}\nEND\n".encode()).replace(b"\n", ends)
    rows = np.concatenate([row for one in streamlines for row in (one, [[np.nan] * 3])] + [[[np.inf] * 3]])
    (tmp_path / "a.tck").write_bytes(
        header.ljust(offset, b"\0") + rows.astype({"F": "<f4", "f": ">f8"}[datatype[0]]).tobytes()
    )
    found = open_tractogram(tmp_path / "a.tck").header
    assert found.streamlines >= 60
    assert not found.exact
    assert found.promised == {"a stale": 20, "a large": 2_000_000_000, "no coun": None, "a count": None}.get(
        what[:7], 60
    )
    assert counted(tmp_path / "a.tck") == 60
