"""Whatever is wrong with a file, its reader says so in a sentence about that file, and nothing is waited for."""

import gc
import gzip
import io
import json
import os
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import packings
import phantoms
import pytest
from vtkmodules.vtkCommonCore import vtkObject

from tractcap.errors import InputError
from tractcap.inputs.images import ImageFile
from tractcap.inputs.tractograms import FORMATS, Tractogram, open_tractogram
from tractcap.inputs.tractograms.base import Header
from tractcap.inputs.tractograms.chunks import Block

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # nibabel leaves .mgh open


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Let Python find here, and not in another test, what nibabel has left open."""
    yield
    gc.collect()


def whole(path: Path) -> Path:
    """A tractogram or an image in the format of the name's ending."""
    if path.name.endswith((".nii", ".nii.gz", ".mgz", ".mgh")):
        kind = nib.Nifti1Image if ".nii" in path.name else nib.MGHImage
        kind(np.ones((6, 7, 8), "f4"), np.diag([2.0, 2, 2, 1])).to_filename(path)
        return path
    return phantoms.save(path, phantoms.ragged(20))


def read(path: Path) -> None:
    if path.name.endswith((".nii", ".nii.gz", ".mgz", ".mgh", ".img", ".hdr")):
        ImageFile(path).values()
        ImageFile(path).shown()
    else:
        list(open_tractogram(path).chunks(1000))


def refused(path: Path, words: str = ".", read: Callable[[Path], None] = read) -> str:
    """The sentence with which it is."""
    with pytest.raises(InputError, match=words) as raised:
        read(path)
    sentence = str(raised.value)
    assert sentence.startswith(str(path))
    assert sentence.endswith(".")
    assert not sentence.endswith("..")
    assert "\n" not in sentence
    return sentence


ENDINGS = [*FORMATS, ".nii", ".nii.gz", ".mgh", ".mgz"]


@pytest.mark.parametrize(
    "error",
    [
        KeyError("x"),
        RuntimeError("two\nlines."),
        struct.error("short"),
        OSError("no number"),
        RecursionError(),
        ValueError(),
    ],
    ids=repr,
)
@pytest.mark.parametrize("when", ["header", "points"])
def test_whatever_a_reader_raises_is_said_of_its_file(tmp_path: Path, when: str, error: Exception) -> None:
    class Odd(Tractogram):
        format = "odd"

        def _read_header(self) -> Header:
            if when == "header":
                raise error
            return Header(0, True, 0)

        def _read_blocks(self, data: str) -> Iterator[Block]:
            raise error
            yield

    refused(
        tmp_path / "a.odd", "can't be read as a odd file: .*[a-zA-Z]", lambda path: list(Odd(path).chunks(10)) and None
    )


def test_memory_that_lacks_is_not_the_files_fault(tmp_path: Path) -> None:
    class Large(Tractogram):
        format = "large"

        def _read_header(self) -> Header:
            raise MemoryError

        def _read_blocks(self, data: str) -> Iterator[Block]:
            raise NotImplementedError

    with pytest.raises(MemoryError):
        Large(tmp_path / "a.large")


@pytest.mark.parametrize("ending", ENDINGS)
def test_links_to_nothing_and_what_stands_for_a_file(tmp_path: Path, ending: str) -> None:
    """As DataLad, git-annex and Git LFS leave them until the file is fetched."""
    link, unlocked, lfs = (tmp_path / f"{name}{ending}" for name in ("link", "unlocked", "lfs"))
    link.symlink_to(".git/annex/objects/Xx/Yy/SHA256E-s99--ab.trk/SHA256E-s99--ab.trk")
    unlocked.write_text("/annex/objects/SHA256E-s1234--0123456789abcdef.trk\n")
    lfs.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 1234\n")
    assert "is a link to a file that isn't there: get it first (datalad get, git annex get)" in refused(link)
    for path in (unlocked, lfs):
        assert "only stands for a file that isn't there: get it first" in refused(path)


def test_links_to_nothing_in_a_folder_of_trx_and_beside_a_tck(tmp_path: Path) -> None:
    packings.trx(tmp_path / "a.trx", phantoms.ragged(3), method=None)
    member = next((tmp_path / "a.trx").glob("positions*"))
    member.unlink()
    member.symlink_to("nowhere")
    with pytest.raises(
        InputError, match=rf"{re.escape(str(member))} is a link to a file that isn't there: get it first"
    ):
        open_tractogram(tmp_path / "a.trx")
    phantoms.save(tmp_path / "b.tck", phantoms.ragged(3))
    (tmp_path / "b_fa.tsf").symlink_to("nowhere")
    assert list(open_tractogram(tmp_path / "b.tck").chunks(1000))
    with pytest.raises(InputError, match=r"b_fa\.tsf is a link to a file that isn't there"):
        list(open_tractogram(tmp_path / "b.tck").chunks(1000, "fa"))


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_no_file_at_all(tmp_path: Path, ending: str) -> None:
    pipe, folder = tmp_path / f"pipe{ending}", tmp_path / f"folder{ending}"
    os.mkfifo(pipe)
    folder.mkdir()
    refused(pipe, "is not a regular file: give")
    refused(folder, "header.json" if ending == ".trx" else "is not a regular file: give")
    refused(tmp_path / f"missing{ending}", "doesn't exist: give")


@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_zeros_and_the_content_of_other_formats(tmp_path: Path, ending: str) -> None:
    contents = [b"", b"\0", b"\0" * 5000, b"\xff" * 5000, b"PK\3\4", b"\x1f\x8b", b"# vtk DataFile", b"<VTKFile>"]
    formats = [whole(tmp_path / f"other{other}").read_bytes() for other in ENDINGS]
    alike = {".vtk", ".fib"} if ending in (".vtk", ".vtp", ".fib") else {ending}
    for content in [*contents, *(data for other, data in zip(ENDINGS, formats, strict=True) if other not in alike)]:
        path = tmp_path / f"a{ending}"
        path.write_bytes(content)
        if not (ending in (".vtk", ".vtp", ".fib") and b"<VTKFile type" in content[:200] + content[-200:]) and not (
            ending in (".vtk", ".vtp", ".fib") and content.startswith(b"# vtk DataFile V")
        ):
            refused(path)


def zipped(path: Path) -> zipfile.ZipInfo:
    with zipfile.ZipFile(path) as archive:
        return archive.getinfo("positions.3.float32")


def field(path: Path, name: str, value: bytes) -> bytes:
    """An archive with a field of the entry of its positions set, where it is listed and where it stands."""
    data = bytearray(path.read_bytes())
    info = zipped(path)
    listed = data.rindex(b"positions") - 46
    at = {"method": (10, 8), "flags": (8, 6), "size": (24, 22), "crc": (16, 14)}[name]
    for start, offset in ((listed, at[0]), (info.header_offset, at[1])):
        data[start + offset : start + offset + len(value)] = value
    return bytes(data)


def renamed(path: Path) -> bytes:
    """With names that say to be UTF-8 and aren't."""
    data = field(path, "flags", b"\0\x08")
    return data.replace(b"positions.3", b"positions.\xff")


def with_header(content: bytes) -> Callable[[Path], bytes]:
    def change(path: Path) -> bytes:
        made = io.BytesIO()
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w") as new:
            for name in old.namelist():
                new.writestr(name, content if name == "header.json" else old.read(name))
        return made.getvalue()

    return change


def broken_inside(path: Path) -> bytes:
    """Bytes in the middle of the packed positions are others."""
    data, info = bytearray(path.read_bytes()), zipped(path)
    start = info.header_offset + info.compress_size // 2
    data[start : start + 40] = b"\xff" * 40
    return bytes(data)


def claiming(path: Path) -> bytes:
    """The packed positions say that unpacking them takes 4 GB of memory."""
    data, info = bytearray(path.read_bytes()), zipped(path)
    start = info.header_offset + 30 + len(info.filename) + 5
    assert data[start : start + 4] == struct.pack("<I", 2**23)
    data[start : start + 4] = b"\xff" * 4
    return bytes(data)


ROTTEN: dict[str, tuple[int, Callable[[Path], bytes]]] = {
    "its first bytes are zeros": (zipfile.ZIP_STORED, lambda path: b"\0" * 64 + path.read_bytes()[64:]),
    "its list is cut off": (zipfile.ZIP_STORED, lambda path: path.read_bytes()[:-30]),
    "an unknown method": (zipfile.ZIP_STORED, lambda path: field(path, "method", b"\x63\0")),
    "another method": (zipfile.ZIP_DEFLATED, lambda path: field(path, "method", b"\x0e\0")),
    "encrypted": (zipfile.ZIP_STORED, lambda path: field(path, "flags", b"\1\0")),
    "a size of 4 GB": (zipfile.ZIP_DEFLATED, lambda path: field(path, "size", b"\xf0\xff\xff\xff")),
    "another checksum": (zipfile.ZIP_STORED, lambda path: field(path, "crc", b"\1\2\3\4")),
    "a name that is no UTF-8": (zipfile.ZIP_STORED, renamed),
    "broken, deflated": (zipfile.ZIP_DEFLATED, broken_inside),
    "broken, LZMA": (zipfile.ZIP_LZMA, broken_inside),
    "4 GB to unpack LZMA": (zipfile.ZIP_LZMA, claiming),
    "broken, bzip2": (zipfile.ZIP_BZIP2, broken_inside),
    "a header that is no UTF-8": (zipfile.ZIP_STORED, with_header(b"\xff\xfe{}")),
    "a header that is no JSON": (zipfile.ZIP_STORED, with_header(b"{")),
    "a header of brackets": (zipfile.ZIP_STORED, with_header(b"[" * 100_000)),
    "a header that is a list": (zipfile.ZIP_STORED, with_header(b"[1, 2]")),
    "a count below none": (zipfile.ZIP_STORED, with_header(b'{"NB_STREAMLINES": -1, "NB_VERTICES": 0}')),
    "a count that isn't finite": (zipfile.ZIP_STORED, with_header(b'{"NB_STREAMLINES": 1e999, "NB_VERTICES": 5}')),
    "a count that is a list": (zipfile.ZIP_STORED, with_header(b'{"NB_STREAMLINES": [], "NB_VERTICES": null}')),
}


@pytest.mark.parametrize("what", ROTTEN)
def test_a_trx_that_is_rotten_inside(tmp_path: Path, what: str) -> None:
    method, damage = ROTTEN[what]
    path = tmp_path / "a.trx"
    packings.trx(path, phantoms.ragged(200), method=method)
    read(path)
    path.write_bytes(damage(path))
    refused(path)


def hostile(path: Path) -> None:
    """Add members that lead out of the archive, are links, archives, as large as none, or bear another's name."""
    link = zipfile.ZipInfo("dpv/link.float32")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    inner = path.read_bytes()
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for name in ("../../out.float32", "/out.float32", "dpv/../../../out.float32", "groups/../../out.uint32"):
            archive.writestr(name, b"\1" * 4)
        archive.writestr(link, "../../header.json")
        archive.writestr("inner.trx", inner)
        archive.writestr("zeros", bytes(2**26))


def test_an_archive_of_hostile_members_is_read_as_if_they_were_not_there(tmp_path: Path) -> None:
    """None is unpacked to a place, followed, opened as an archive, or read at all."""
    folder = tmp_path / "a/b/c"
    folder.mkdir(parents=True)
    path = phantoms.save(folder / "a.trx", phantoms.ragged(20))
    header = open_tractogram(path).header
    points = [chunk.points for chunk in open_tractogram(path).chunks(1000)]
    hostile(path)
    assert open_tractogram(path).header == header
    again = [chunk.points for chunk in open_tractogram(path).chunks(1000)]
    assert len(again) == len(points)
    assert all(np.array_equal(one, other) for one, other in zip(again, points, strict=True))
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == [path]


def test_a_folder_of_trx_that_holds_itself_is_read(tmp_path: Path) -> None:
    packings.trx(tmp_path / "a.trx", phantoms.ragged(3), method=None)
    (tmp_path / "a.trx/dpv").mkdir(exist_ok=True)
    (tmp_path / "a.trx/dpv/loop").symlink_to("..")
    read(tmp_path / "a.trx")


def test_an_archive_without_a_header_but_with_one_inside_another(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "b.trx", phantoms.ragged(3))
    with zipfile.ZipFile(tmp_path / "a.trx", "w") as archive:
        archive.write(path, "a.trx")
    refused(tmp_path / "a.trx", "it has no header.json")


def nifti(path: Path, **fields: object) -> bytes:
    """A NIfTI file with fields of its header set, whatever they are."""
    data = bytearray(whole(path).read_bytes())
    header = np.frombuffer(data, nib.nifti1.header_dtype, 1)
    for name, value in fields.items():
        header[name] = value
    return bytes(data)


SHORT = np.iinfo(np.int16)
IMAGES: dict[str, tuple[str, dict[str, object]]] = {
    "an unknown type": ("a.nii", {"datatype": 4096}),
    "a type of one bit": ("a.nii", {"datatype": 1}),
    "a type of colours": ("a.nii", {"datatype": 128}),
    "no dimensions": ("a.nii", {"dim": [0] * 8}),
    "nine dimensions": ("a.nii", {"dim": [9, 6, 7, 8, 1, 1, 1, 1]}),
    "sides below none": ("a.nii", {"dim": [3, -6, 7, -8, 1, 1, 1, 1]}),
    "the largest sides": ("a.nii", {"dim": [3, SHORT.max, SHORT.max, SHORT.max, 1, 1, 1, 1]}),
    "more than it holds": ("a.nii", {"dim": [3, 60, 70, 80, 1, 1, 1, 1]}),
    "an offset that is no number": ("a.nii", {"vox_offset": np.nan}),
    "an offset without end": ("a.nii", {"vox_offset": np.inf}),
    "an offset below none": ("a.nii", {"vox_offset": -5000}),
    "an offset beyond its end": ("a.nii", {"vox_offset": 1e9}),
    "another magic": ("a.nii", {"magic": b"n+9\0"}),
    "a rotation that is none": ("a.nii", {"quatern_b": 5, "sform_code": 0, "qform_code": 1}),
    "a matrix of NaN": ("a.nii", {"srow_x": [np.nan] * 4}),
    "a matrix of zeros": ("a.nii", {"srow_x": [0] * 4}),
    "two parallel sides": ("a.nii", {"srow_x": [1, 1, 0, 0], "srow_y": [1, 1, 0, 0]}),
    "an origin beyond all": ("a.nii", {"srow_x": [2, 0, 0, 1e30]}),
    "voxels of a kilometre": ("a.nii", {"srow_x": [1e6, 0, 0, 0], "srow_y": [0, 1e6, 0, 0], "srow_z": [0, 0, 1e6, 0]}),
    "nobody says where": ("a.nii", {"qform_code": 0, "sform_code": 0}),
    "nobody says where, compressed": ("a.nii.gz", {"qform_code": 0, "sform_code": 0}),
    "it counts in metres": ("a.nii", {"xyzt_units": 1}),
    "it counts in micrometres": ("a.nii", {"xyzt_units": 3 + 8}),
}


@pytest.mark.parametrize("what", IMAGES)
def test_an_image_whose_header_is_wrong(tmp_path: Path, what: str) -> None:
    name, fields = IMAGES[what]
    data = nifti(tmp_path / "a.nii", **fields)
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    sentence = refused(tmp_path / name)
    if "nobody says" in what:
        assert "doesn't say where its voxels lie in mm: its qform_code and sform_code are 0. Set its sform" in sentence


def analyze(path: Path) -> Path:
    nib.AnalyzeImage(np.ones((6, 7, 8), "i2"), np.diag([2.0, 2, 2, 1])).to_filename(path)
    return path


def spm(path: Path) -> Path:
    nib.Spm99AnalyzeImage(np.ones((6, 7, 8), "i2"), None).to_filename(path)
    return path


def mgh(path: Path) -> Path:
    """One of FreeSurfer's that doesn't say where it lies."""
    plain = whole(path.with_name("plain.mgh")).read_bytes()
    data = plain[:28] + b"\0\0" + plain[30:]
    path.write_bytes(gzip.compress(data) if path.suffix == ".mgz" else data)
    return path


@pytest.mark.parametrize(
    ("write", "name", "words"),
    [
        (analyze, "a.img", "Analyze image, whose format knows no orientation"),
        (analyze, "a.hdr", "Analyze image, whose format knows no orientation"),
        (spm, "a.img", "Analyze image, whose format knows no orientation"),
        (mgh, "a.mgh", "its goodRASFlag is 0"),
        (mgh, "a.mgz", "its goodRASFlag is 0"),
    ],
)
def test_an_image_that_says_nothing_of_its_place(
    tmp_path: Path, write: Callable[[Path], Path], name: str, words: str
) -> None:
    refused(write(tmp_path / name), f"doesn't say where its voxels lie in mm: .*{words}. Make a NIfTI file of it")


def test_images_that_say_where_they_lie_are_read(tmp_path: Path) -> None:
    nib.Nifti1Pair(np.ones((6, 7, 8), "f4"), np.diag([2.0, 2, 2, 1])).to_filename(tmp_path / "pair.img")
    for name in ("a.nii", "a.nii.gz", "a.mgh", "a.mgz"):
        whole(tmp_path / name)
    for name in ("a.nii", "a.nii.gz", "a.mgh", "a.mgz", "pair.img", "pair.hdr"):
        read(tmp_path / name)
    (tmp_path / "a.nii").write_bytes(nifti(tmp_path / "a.nii", sform_code=0, qform_code=1, xyzt_units=0))
    read(tmp_path / "a.nii")


@pytest.mark.parametrize(
    ("told", "unit"),
    [
        ({"Units": "mm²/s"}, "mm²/s"),
        ({"Units": "mm²/s", "Threshold": float("nan")}, "mm²/s"),
        ({}, ""),
        ([1], ""),
        ({"Units": {}}, ""),
        ({"Units": "half \ud800"}, ""),
        ({"Units": "two\nlines"}, ""),
        ({"Units": "m" * 5000}, ""),
    ],
)
def test_the_unit_of_a_map_is_a_few_words(tmp_path: Path, told: object, unit: str) -> None:
    whole(tmp_path / "fa.nii.gz")
    (tmp_path / "fa.json").write_text(json.dumps(told))
    assert ImageFile(tmp_path / "fa.nii.gz").values().unit == unit


VTK: dict[str, tuple[str, bytes]] = {
    "points without lines": (
        "a.vtk",
        b"# vtk DataFile Version 3.0\nx\nASCII\nDATASET POLYDATA\nPOINTS 2 float\n0 0 0 1 1 1\n",
    ),
    "9 billion points": (
        "a.vtk",
        b"# vtk DataFile Version 3.0\nx\nBINARY\nDATASET POLYDATA\nPOINTS 9000000000 float\n",
    ),
    "9 billion points in XML": (
        "a.vtp",
        b'<VTKFile type="PolyData"><PolyData><Piece NumberOfPoints="9000000000"/></PolyData></VTKFile>',
    ),
    "another kind of data": (
        "a.vtk",
        b"# vtk DataFile Version 3.0\nx\nASCII\nDATASET STRUCTURED_POINTS\nDIMENSIONS 1 1 1\n",
    ),
    "lines between points that aren't there": (
        "a.vtk",
        b"# vtk DataFile Version 3.0\nx\nASCII\nDATASET POLYDATA\nPOINTS 2 float\n0 0 0 1 1 1\nLINES 1 3\n2 0 7\n",
    ),
    "lines of more than it holds": (
        "a.vtk",
        b"# vtk DataFile Version 3.0\nx\nASCII\nDATASET POLYDATA\nPOINTS 2 float\n0 0 0 1 1 1\nLINES 1 9000000000\n",
    ),
    "data of more than it holds": (
        "a.vtk",
        b"# vtk DataFile Version 3.0\nx\nBINARY\nDATASET POLYDATA\nPOINTS 0 float\nPOINT_DATA 9000000000\n"
        b"SCALARS fa float\nLOOKUP_TABLE default\n",
    ),
    "lines that go backwards": (
        "a.vtk",
        b"# vtk DataFile Version 5.1\nx\nASCII\nDATASET POLYDATA\nPOINTS 3 float\n0 0 0 1 1 1 2 2 2\n"
        b"LINES 3 3\nOFFSETS vtktypeint64\n0 3 2\nCONNECTIVITY vtktypeint64\n0 1 2\n",
    ),
    "DSI Studio's .fib": ("a.fib", b"\0\0\0\0\x03\0\0\0\x01\0\0\0\0\0\0\0\x0a\0\0\0dimension\0" + bytes(100)),
}


@pytest.mark.parametrize("silenced", [False, True])
@pytest.mark.parametrize("what", VTK)
def test_files_of_vtk_that_hold_no_streamlines(tmp_path: Path, what: str, silenced: bool) -> None:
    """Whether or not VTK has been told to say nothing, as FURY does where it is imported."""
    name, content = VTK[what]
    (tmp_path / name).write_bytes(content)
    before = vtkObject.GetGlobalWarningDisplay()
    vtkObject.SetGlobalWarningDisplay(not silenced)
    try:
        refused(tmp_path / name)
        assert bool(vtkObject.GetGlobalWarningDisplay()) is not silenced
    finally:
        vtkObject.SetGlobalWarningDisplay(before)


@pytest.mark.parametrize("ending", [ending for ending in ENDINGS if ending.endswith(("gz", ".mgz"))])
@pytest.mark.parametrize("how", ["cut", "plain"])
def test_what_cannot_be_unpacked_is_said_in_words_of_ours(tmp_path: Path, ending: str, how: str) -> None:
    path = whole(tmp_path / f"a{ending}")
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) * 2 // 3] if how == "cut" else gzip.decompress(raw))
    sentence = refused(path)
    assert not re.search("gzipped|end-of-stream|decompress", sentence), sentence
