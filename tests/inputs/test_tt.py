"""DSI Studio's files of streamlines: where their points lie, how they are read, and what is said of damaged ones."""

import gzip
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import dsi_studio
import nibabel as nib
import numpy as np
import phantoms
import pytest
from joining import join, read
from scenes import drawn
from trees import find

from tractcap.drawing.views import Frame
from tractcap.errors import InputError
from tractcap.inputs.tractograms import open_tractogram
from tractcap.inputs.tractograms.base import UNPLACED

POINT = np.array([5, 7, 11])
"""A voxel."""


def head(coordinates: int, *point: int) -> bytes:
    return struct.pack("<I3i", coordinates, *point)


def file(folder: Path, track: bytes = b"", name: str = "a.tt", /, **more: object) -> Path:
    """A file of hand-made bytes, with other matrices, or without those that are None."""
    found = {**dsi_studio.matrices([]), "track": track, **more}
    arrays = {key: np.frombuffer(one, "u1")[:, None] if isinstance(one, bytes) else one for key, one in found.items()}
    return dsi_studio.save(folder / name, {key: one for key, one in arrays.items() if one is not None})


def test_a_whole_number_of_voxels_is_a_voxels_centre_as_in_nifti(tmp_path: Path) -> None:
    """And trans_to_mni has the voxels' size in it; the steps are signed."""
    track = head(9, *(32 * POINT)) + struct.pack("6b", 32, 0, 0, -1, -64, 127)
    (found,) = read(file(tmp_path, track))
    voxels = POINT + np.array([[0, 0, 0], [1, 0, 0], [31 / 32, -2, 127 / 32]])
    np.testing.assert_array_equal(found, nib.affines.apply_affine(dsi_studio.AFFINE, voxels))


def test_the_same_picture_as_a_trk_within_its_rounding(tmp_path: Path) -> None:
    """Half a step of 1/32 of these voxels of 2 mm, in each direction; a pixel has 0.5 mm."""
    bundle = phantoms.asymmetric_bundle()
    frame = Frame((-60, -70, -30), (-10, 70, 60))
    paths = phantoms.save(tmp_path / "a.trk", bundle, "LPS"), phantoms.save(tmp_path / "a.tt.gz", bundle)
    trk, tt = (np.concatenate(read(path)) for path in paths)
    assert 0 < np.abs(trk - tt).max() <= 2 / 64 + 1e-4
    theirs, ours = (drawn(path, frame, size=280, coloring=None) for path in paths)
    for view, picture in theirs.items():
        assert picture.any()
        differ = np.abs(picture.astype(int) - ours[view]).max(axis=-1)
        assert np.median(differ[picture.any(axis=-1)]) <= 12, view
        assert np.mean(picture.any(axis=-1) != ours[view].any(axis=-1)) < 0.01, view


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ({}, ""),
        ({"dimension": None}, ""),
        ({"voxel_size": None}, ""),
        ({"trans_to_mni": None}, "the file has no trans_to_mni, so it doesn't say where the image's origin lies"),
        ({"trans_to_mni": np.zeros((1, 16), "f4")}, "the file has no trans_to_mni"),
        (
            {"trans_to_mni": np.array([[-2, 0, 0, 180, 0, -2, 0, 216, 0, 0, 2, 0, 0, 0, 0, 1]], "f4")},
            "its trans_to_mni is what DSI Studio writes when it doesn't know the image's origin",
        ),
        ({"voxel_size": np.ones((1, 3), "f4")}, "its voxel_size doesn't fit its trans_to_mni: the latter is taken"),
    ],
)
def test_what_a_file_does_not_say_of_its_place(tmp_path: Path, more: dict[str, np.ndarray], note: str) -> None:
    """Lengths and directions are right all the same: DSI Studio's voxels run to the left, to the back and up."""
    path = file(tmp_path, head(6, 0, 0, 0) + struct.pack("3b", 32, 64, 96), **more)
    header = open_tractogram(path).header
    assert [one.startswith(note) for one in header.notes] == [True] * bool(note)
    assert bool(header.unplaced) == ("origin" in note or "has no" in note)
    assert header.unplaced.endswith(UNPLACED) or not header.unplaced
    (found,) = read(path)
    np.testing.assert_array_equal(found[1] - found[0], [-2, -4, 6])


@pytest.mark.parametrize("name", ["a.tt", "a.tt.gz"])
@pytest.mark.parametrize("max_points", [7, 1000, 10**6])
def test_a_streamline_longer_than_a_read_comes_in_pieces(tmp_path: Path, name: str, max_points: int) -> None:
    steps = np.random.default_rng(0).integers(-2, 3, (2_000 if max_points < 10 else 200_000, 3))
    long = np.cumsum(steps, axis=0) / 16
    streamlines = [long[:3], long, long[:1], long[: len(long) // 2], long[:2]]
    path = dsi_studio.save(tmp_path / name, dsi_studio.matrices(streamlines, tracks=2))
    path = dsi_studio.save(path, {**dsi_studio.matrices(streamlines), "cluster": np.arange(5, dtype="u2")[:, None]})
    chunks = list(open_tractogram(path).chunks(max_points, "cluster"))
    for found, expected in zip(join(chunks, max_points), streamlines, strict=True):
        np.testing.assert_array_equal(found, expected.astype("f4"))
    numbers = [one.per_streamline["cluster"][: len(one.offsets) - 1 - one.tail] for one in chunks]
    assert np.concatenate(numbers).tolist() == [0, 1, 2, 3, 4]


def test_streamlines_of_one_point_and_of_none_are_counted(tmp_path: Path) -> None:
    """One of none takes 13 bytes, as DSI Studio counts them."""
    track = bytes(13) + head(3, 1, 2, 3) + bytes(13) + bytes(13) + head(6, 4, 5, 6) + bytes(3) + bytes(13)
    assert [len(one) for one in read(file(tmp_path, track))] == [0, 1, 0, 0, 2, 0]
    for count in (0, 1):
        path = file(tmp_path, (head(3, 0, 0, 0) if count else bytes(13)) * 50)
        assert open_tractogram(path).header.streamlines >= len(read(path)) == 50


@pytest.mark.parametrize("name", ["a.tt", "a.tt.gz"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, name: str) -> None:
    one = head(3000, 0, 0, 0) + bytes(2997)
    peaks = []
    for count in (1_000, 10_000):
        path = file(tmp_path, one * count, name)
        tracemalloc.start()
        assert sum(chunk.started for chunk in open_tractogram(path).chunks(50_000)) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert len(one) * 10_000 > 3 * peaks[1], "else this test shows nothing"
    assert peaks[1] < 1.1 * peaks[0]


def test_they_are_found_in_folders_and_the_names_of_their_clusters_are_not(tmp_path: Path) -> None:
    for name in ("sub-1_AF_left.tt.gz", "sub-1_AF_left.tt.gz.txt", "sub-1_CST_left.TT", "sub-1_X.tt.txt"):
        (tmp_path / name).touch()
    found = find(tmp_path)
    assert [source.name for source in found] == ["sub-1_AF_left.tt.gz", "sub-1_CST_left.TT"]
    assert [source.stem for source in found] == ["sub-1_AF_left", "sub-1_CST_left"]


def clusters(count: int) -> np.ndarray:
    return np.zeros((count, 1), "u2")


def matrix(kind: int, rows: int, name: bytes = b"track\0", columns: int = 1, imaginary: int = 0) -> bytes:
    """The beginning of a matrix."""
    return struct.pack("<5I", kind, rows, columns, imaginary, len(name)) + name


GOOD = head(6, 320, 320, 320) + bytes(3)

CUT: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "within a matrix's header": (lambda data: data[:7], "ends at byte 7, within a matrix's header; it is cut off"),
    "within the streamlines": (
        lambda data: data[:-20],
        "ends within its matrix 'track', of 171 bytes by its header; it is cut off",
    ),
    "within the place": (lambda data: data[:35], "ends within its matrix 'dimension'"),
    "one byte before the end": (
        lambda data: data[:-1],
        "ends within its matrix 'track', of 171 bytes by its header; it is cut off",
    ),
    "words behind": (lambda data: data + b"what is this, at the end of a file?", "no matrix of MATLAB's version 4"),
    "in the other order of bytes": (lambda data: data[3::-1] + data[4:], "version 4 begins at its byte 0"),
    "of MATLAB's version 5": (lambda data: b"MATLAB 5.0 MAT-file".ljust(128) + data, "begins at its byte 0"),
    "with complex numbers": (lambda data: matrix(50, 3, imaginary=1) + bytes(6) + data, "begins at its byte 0"),
    "of sparse matrices": (lambda data: matrix(2, 3) + bytes(24) + data, "begins at its byte 0"),
    "without a name": (lambda data: matrix(50, 3, b"") + bytes(3) + data, "begins at its byte 0"),
    "of 16 exabytes": (
        lambda data: matrix(50, 2**32 - 1, columns=2**32 - 1) + data,
        "ends within its matrix 'track', of 18,446,744,065,119,617,025",
    ),
    "without anything that places it": (lambda data: matrix(50, 1, b"x\0") + b"1", "don't place its voxels in mm"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("what", CUT)
def test_files_that_are_no_whole_matrices(tmp_path: Path, what: str, packed: bool) -> None:
    damage, words = CUT[what]
    data = damage(file(tmp_path, GOOD * 9).read_bytes())
    path = tmp_path / ("b.tt.gz" if packed else "b.tt")
    path.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(InputError, match=rf"b\.tt(\.gz)? .* DSI Studio \(\.tt\) file: .*({words}).*\.$"):
        open_tractogram(path)


def test_a_compressed_file_that_is_cut_off(tmp_path: Path) -> None:
    path = file(tmp_path, np.random.default_rng(0).bytes(5000), "a.tt.gz")
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(InputError, match=r"a\.tt\.gz can't be read as a DSI Studio \(\.tt\) file: .*can't be unpacked"):
        open_tractogram(path)


WRONG: dict[str, tuple[dict[str, object], str]] = {
    "a count that isn't three a point": ({"track": GOOD + head(7, 0, 0, 0) + bytes(9)}, "streamline 2 claims 7 coord"),
    "a count beyond the matrix": (
        {"track": GOOD * 2 + head(9, 0, 0, 0) + bytes(5)},
        "streamline 3 claims 9 coordin.*more",
    ),
    "a count beyond all": ({"track": GOOD + head(2**32 - 1, 0, 0, 0)}, "streamline 2 claims 4,294,967,295 coord"),
    "a count behind a long one": (
        {"track": head(900_000, 0, 0, 0) + bytes(899_997) + GOOD + head(7, 0, 0, 0)},
        "streamline 3 claims 7 coordinates",
    ),
    "bytes left behind": ({"track": GOOD * 2 + bytes(3)}, "'track' ends within streamline 3"),
    "a streamline over two matrices": ({"track": GOOD + GOOD[:9], "track1": GOOD[9:]}, "streamline 2 claims 6 coord"),
    "a matrix left out": ({"track2": GOOD}, "a matrix 'track2' where 'track1' should be"),
    "numbers that are no bytes": ({"track": np.zeros((3, 1))}, "'track' holds float64 numbers, not bytes"),
    "a place of other numbers": ({"trans_to_mni": np.zeros((1, 12), "f4")}, "has 12 numbers, where 16 are expected"),
    "a place of NaN": ({"trans_to_mni": np.full((1, 16), np.nan)}, "don't place its voxels in mm"),
    "a place that is turned over": ({"trans_to_mni": dsi_studio.AFFINE.T.reshape(1, 16)}, "don't place its voxels"),
    "voxels of no size": ({"trans_to_mni": None, "voxel_size": np.zeros((1, 3))}, "don't place its voxels in mm"),
    "clusters and no streamlines": (
        {"track": None, "cluster": clusters(2)},
        "clusters for 2 streamlines, but no matrix",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_files_that_hold_something_else(tmp_path: Path, what: str) -> None:
    more, words = WRONG[what]
    path = file(tmp_path, GOOD, **more)
    with pytest.raises(InputError, match=rf"a\.tt is not a whole DSI Studio \(\.tt\) file: .*{words}.*\.$"):
        read(path)


@pytest.mark.parametrize(("count", "words"), [(1, "for 1 streamlines, but there are more"), (3, "but there are 2")])
def test_clusters_of_another_number_of_streamlines(tmp_path: Path, count: int, words: str) -> None:
    """Without them the file is drawn, as by DSI Studio, and the difference is said."""
    path = file(tmp_path, GOOD * 2, cluster=clusters(count))
    assert len(read(path)) == 2
    assert open_tractogram(path).header.promised == count
    with pytest.raises(InputError, match=words):
        list(open_tractogram(path).chunks(1000, "cluster"))
