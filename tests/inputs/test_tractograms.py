"""Every format gives the streamlines that were put in, in chunks, whole or not at all."""

import io
import itertools
import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import phantoms
import pytest
from joining import join, read

from tractcap.errors import InputError
from tractcap.inputs.tractograms import open_tractogram
from tractcap.inputs.tractograms.chunks import Block, chunked


def same(found: list[np.ndarray], expected: list[np.ndarray], tolerance: float = 1e-4) -> None:
    assert [len(s) for s in found] == [len(s) for s in expected]
    np.testing.assert_allclose(np.concatenate(found), np.concatenate(expected), atol=tolerance)


@pytest.mark.parametrize("ending", phantoms.ENDINGS)
def test_every_format_gives_what_was_put_in(tmp_path: Path, ending: str) -> None:
    streamlines = phantoms.ragged()
    path = phantoms.save(tmp_path / f"a.{ending}", streamlines)
    same(read(path), streamlines)
    assert open_tractogram(path).header.streamlines >= len(streamlines)
    assert open_tractogram(path).header.points >= sum(map(len, streamlines))


@pytest.mark.parametrize("order", ["RAS", "LAS", "LPS", "RSA", "PIR"])
def test_trk_agrees_with_nibabel_whatever_the_voxel_order(tmp_path: Path, order: str) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(), "RAS" if order in ("RSA", "PIR") else order)
    if order in ("RSA", "PIR"):  # the header's order disagrees with its matrix: the axes are permuted
        data = bytearray(path.read_bytes())
        data[948:952] = order.encode().ljust(4, b"\0")
        path.write_bytes(data)
    same(read(path), list(nib.streamlines.load(path, lazy_load=True).streamlines))


def test_trk_of_the_other_byte_order(tmp_path: Path) -> None:
    streamlines = phantoms.ragged(20)
    little = phantoms.save(tmp_path / "a.trk", streamlines)
    data = little.read_bytes()
    header = np.frombuffer(data[:1000], nib.streamlines.trk.header_2_dtype.newbyteorder("<"))
    swapped = header.astype(nib.streamlines.trk.header_2_dtype.newbyteorder(">"))
    (tmp_path / "b.trk").write_bytes(swapped.tobytes() + np.frombuffer(data[1000:], "<i4").astype(">i4").tobytes())
    same(read(tmp_path / "b.trk"), streamlines)


@pytest.mark.parametrize("datatype", ["Float32LE", "Float32BE", "Float64LE", "Float64BE"])
def test_tck_of_every_data_type(tmp_path: Path, datatype: str) -> None:
    streamlines = phantoms.ragged()
    same(read(phantoms.raw_tck(tmp_path / "a.tck", streamlines, datatype)), streamlines)


@pytest.mark.parametrize("kind", [{}, {"compressed": True}, {"folder": True}])
def test_trx_of_every_kind(tmp_path: Path, kind: dict[str, bool]) -> None:
    streamlines = phantoms.ragged(300)
    path = phantoms.save_trx(tmp_path / "a.trx", streamlines, **kind)
    same(read(path), streamlines)
    assert open_tractogram(path).header.exact


@pytest.mark.parametrize("ending", ["trk", "tck.gz", "trx", "vtp"])
@pytest.mark.parametrize("max_points", [7, 8, 11, 1000])
def test_a_streamline_longer_than_a_chunk_and_than_a_read_comes_in_pieces(
    tmp_path: Path, ending: str, max_points: int
) -> None:
    long = np.cumsum(np.ones((300 if max_points < 12 else 200_000, 3), np.float32) / 1000, axis=0)
    streamlines = [long[:3], long, long[:2], long[: max_points + 1], long[:max_points]]
    path = phantoms.save(tmp_path / f"a.{ending}", streamlines)
    same(read(path, max_points), streamlines, tolerance=2e-3)


@pytest.mark.parametrize("cuts", [(1,), (4, 6), (10, 18), (6, 8, 10, 12, 14)])
def test_chunks_do_not_depend_on_where_blocks_were_cut(cuts: tuple[int, ...]) -> None:
    """Hand-made blocks: two streamlines of 10 points, cut wherever."""
    points = np.arange(60, dtype=np.float32).reshape(20, 3)
    blocks, bounds = [], [0, *cuts, 20]
    for start, stop in itertools.pairwise(bounds):
        ends = [e for e in (10, 20) if start < e < stop] + [stop]
        lengths = np.diff([start, *ends])
        blocks.append(Block(points[start:stop], lengths, continues=start not in (0, 10), open=stop not in (10, 20)))
    same(join(list(chunked(blocks, 7)), 7), [points[:10], points[10:]])


def test_a_zero_point_streamline_is_kept_to_be_counted(tmp_path: Path) -> None:
    streamlines = phantoms.ragged(5)
    path = phantoms.raw_tck(tmp_path / "a.tck", [streamlines[0], np.empty((0, 3)), streamlines[1]])
    assert [len(s) for s in read(path)] == [len(streamlines[0]), 0, len(streamlines[1])]


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("axes", [[0], [1], [0, 1]])
def test_a_tck_marks_an_end_by_all_three_coordinates(tmp_path: Path, axes: list[int], value: float) -> None:
    """A point of which one or two are no numbers is a bad point, and ends neither its streamline nor the file."""
    streamlines = phantoms.ragged(3)
    streamlines[1][2, axes] = value
    found = read(phantoms.raw_tck(tmp_path / "a.tck", streamlines))
    assert [len(one) for one in found] == [len(one) for one in streamlines]
    np.testing.assert_array_equal(found[1], streamlines[1])


def test_vtk_spaces(tmp_path: Path) -> None:
    streamlines = phantoms.asymmetric_bundle(3)
    marked = phantoms.save_vtk(tmp_path / "marked.vtk", streamlines, "3D Slicer output. SPACE=LPS")
    plain = phantoms.save_vtk(tmp_path / "plain.vtk", streamlines)
    flipped = [s * [-1, -1, 1] for s in streamlines]
    same(read(marked), flipped)
    same(read(plain), streamlines)
    assert "RAS+" in open_tractogram(plain).header.notes[0], "what was assumed is said"
    told = open_tractogram(plain, vtk_space="LPS")
    same(join(list(told.chunks(1000)), 1000), flipped)
    assert not told.header.notes


def cut(data: bytes, count: int) -> bytes:
    return data[:-count]


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :]


def patched(data: bytes, offset: int, kind: str, *values: float) -> bytes:
    packed = struct.pack(kind, *values)
    return data[:offset] + packed + data[offset + len(packed) :]


def rezipped(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """A zip archive with one member changed."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(result, "w") as target:
        for member in source.namelist():
            content = source.read(member)
            target.writestr(member, change(content) if member.startswith(name) else content)
    return result.getvalue()


def promise(header: bytes) -> bytes:
    return json.dumps({**json.loads(header), "NB_STREAMLINES": 2_000_000_000}).encode()


WORDS = b"this is not a tractogram\n" * 100
COUNT, VOXELS, MATRIX, FIRST = 988, 12, 440, 1000  # places in a .trk

DAMAGED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    **{f"words in a .{ending}": (ending, lambda data: WORDS) for ending in phantoms.ENDINGS},
    **{f"an empty .{ending}": (ending, lambda data: b"") for ending in phantoms.ENDINGS},
    "header cut off": ("trk", lambda data: data[:500]),
    "cut off between streamlines or in one": ("trk", lambda data: cut(data, 1200)),
    "cut off within a number": ("trk", lambda data: cut(data, 3)),
    "gzip cut off": ("trk.gz", lambda data: cut(data, 2000)),
    "gzip broken": ("trk.gz", lambda data: flipped(data, len(data) // 2)),
    "promises 2 billion streamlines": ("trk", lambda data: patched(data, COUNT, "<i", 2_000_000_000)),
    "promises one more than there are": ("trk", lambda data: patched(data, COUNT, "<i", 51)),
    "promises less than none": ("trk", lambda data: patched(data, COUNT, "<i", -1)),
    "a streamline of 2 billion points": ("trk", lambda data: patched(data, FIRST, "<i", 2_000_000_000)),
    "a streamline of -5 points": ("trk", lambda data: patched(data, FIRST, "<i", -5)),
    "zero voxel size": ("trk", lambda data: patched(data, VOXELS, "<3f", 0, 2, 2)),
    "a matrix of NaN": ("trk", lambda data: patched(data, MATRIX, "<4f", *[np.nan] * 4)),
    "no end mark": ("tck", lambda data: cut(data, 12)),
    "tck cut off": ("tck", lambda data: cut(data, 5000)),
    "tck header without END": ("tck", lambda data: b"mrtrix tracks\ncount: 5\n"),
    "tck of an unknown data type": ("tck", lambda data: data.replace(b"Float32LE", b"Decimal16")),
    "tck whose points begin in its header": ("tck", lambda data: data.replace(b"file: . ", b"file: . 1\nx:")),
    "zip cut off": ("trx", lambda data: cut(data, 300)),
    "zip broken": ("trx", lambda data: flipped(data, data.index(b"positions") + 400)),
    "trx promises 2 billion streamlines": ("trx", lambda data: rezipped(data, "header", promise)),
    "trx without counts": ("trx", lambda data: rezipped(data, "header", lambda header: b"{}")),
    "offsets in no order": ("trx", lambda data: rezipped(data, "offsets", lambda offsets: offsets[::-1])),
    **{
        f"{e} cut off at {s}": (e, lambda data, s=s: data[: int(len(data) * s)])
        for e in ("vtk", "vtp")
        for s in (0.2, 0.5, 0.8, 0.99)
    },
}


@pytest.mark.parametrize("ending", phantoms.ENDINGS)
def test_a_file_without_a_byte_is_called_that_whatever_its_library_would_say(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"a.{ending}").touch()
    with pytest.raises(InputError, match=r"is not a whole .* file: it has no bytes\.$"):
        open_tractogram(tmp_path / f"a.{ending}")


@pytest.mark.parametrize("size", [1, 60, 999])
def test_a_trk_that_ends_within_its_header_is_cut_off(tmp_path: Path, size: int) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(5))
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError, match=f"it ends after {size} bytes, within its header; it is cut off"):
        open_tractogram(path)


@pytest.mark.parametrize("what", DAMAGED)
def test_a_damaged_file_is_refused_by_a_sentence_that_names_it(tmp_path: Path, what: str) -> None:
    ending, damage = DAMAGED[what]
    path = phantoms.save(tmp_path / f"a.{ending}", phantoms.ragged(50))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError) as raised:
        list(open_tractogram(path).chunks(1000))
    assert str(path) in str(raised.value)
    assert str(raised.value).endswith(".")


def test_a_tck_whose_count_is_wrong_is_still_read_whole(tmp_path: Path) -> None:
    """MRtrix reads to the end mark too; the count is a hint that an interrupted run leaves wrong."""
    streamlines = phantoms.ragged(10)
    path = phantoms.raw_tck(tmp_path / "a.tck", streamlines, count=2_000_000_000)
    assert open_tractogram(path).header.streamlines < 1000, "a header is never trusted beyond the file's size"
    same(read(path), streamlines)


@pytest.mark.parametrize("ending", ["trk", "tck", "trx"])
def test_no_streamlines_at_all(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    if ending == "trx":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("header.json", json.dumps({"NB_STREAMLINES": 0, "NB_VERTICES": 0}))
            archive.writestr("positions.3.float32", b"")
            archive.writestr("offsets.uint64", b"")
    else:
        phantoms.save(path, [])
    assert read(path) == []


def test_an_unknown_ending(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not a tractogram by its name"):
        open_tractogram(tmp_path / "a.nii")
    with pytest.raises(InputError, match=r"a\.dpy is a \.dpy, which isn't read: save it as \.trk or \.trx with DIPY"):
        open_tractogram(tmp_path / "a.dpy")


@pytest.mark.parametrize("ending", ["trk", "tck.gz", "vtk"])
def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path, ending: str) -> None:
    pipe, folder = tmp_path / f"pipe.{ending}", tmp_path / f"folder.{ending}"
    os.mkfifo(pipe)
    folder.mkdir()
    for path in (pipe, folder):
        with pytest.raises(InputError, match="not a regular file"):
            open_tractogram(path)
    with pytest.raises(InputError, match="doesn't exist: give the tractogram itself"):
        open_tractogram(tmp_path / f"missing.{ending}")
