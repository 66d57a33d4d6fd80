"""How files are read: what is dropped from the page cache, whose fault an error is, and which file was being read."""

import errno
import gzip
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tractcap.errors import DamagedError, InputError, MissingError
from tractcap.inputs import demo
from tractcap.inputs.reading import check_file, each, listen, open_binary, reading, size_bound

MB = 2**20


@pytest.fixture
def dropped(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """From where to where each piece lies that leaves the page cache."""
    pieces: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda file, start, length, advice: pieces.append((start, length)))
    return pieces


def read_all(path: Path) -> int:
    count = 0
    with open_binary(path) as file:
        while data := file.read(MB):
            count += len(data)
    return count


def test_a_large_file_leaves_the_cache_behind_the_reader(tmp_path: Path, dropped: list[tuple[int, int]]) -> None:
    """Every 8 MB, and at its end; so the cache never holds much more of it."""
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(64 * MB + 1)
    assert read_all(path) == 64 * MB + 1
    ends = [length for _, length in dropped]
    assert {start for start, _ in dropped} == {0}
    assert ends[-1] == 64 * MB + 1
    assert 8 <= len(ends) <= 12
    assert all(8 * MB <= after - before < 9 * MB for before, after in zip([0, *ends], ends[:8], strict=False))


@pytest.mark.parametrize("size", [0, 1000, 64 * MB])
def test_a_file_that_is_read_twice_stays_in_the_cache(
    tmp_path: Path, dropped: list[tuple[int, int]], size: int
) -> None:
    path = tmp_path / "small"
    with path.open("wb") as file:
        file.truncate(size)
    assert read_all(path) == size
    assert not dropped


@pytest.mark.parametrize(("name", "times"), [("a.nii.gz", 1032), ("a.MGZ", 1032), ("a.trk", 1), ("a.gzip", 1)])
def test_how_much_a_file_may_hold(tmp_path: Path, name: str, times: int) -> None:
    (tmp_path / name).write_bytes(b"x" * 1000)
    assert size_bound(tmp_path / name) == 1000 * times


def test_names_decide_what_is_unpacked(tmp_path: Path) -> None:
    for name, packed in (("a.tck.gz", True), ("a.TCK.GZ", True), ("a.tck", False)):
        (tmp_path / name).write_bytes(gzip.compress(b"content"))
        with open_binary(tmp_path / name) as file:
            assert (file.read() == b"content") == packed


@pytest.mark.parametrize(
    ("content", "size", "there"),
    [
        (b"/annex/objects/SHA256E-s1234--0123.trk\n", 1023, False),
        (b"/annex/objects/SHA256E-s1234--0123.trk\n", 1024, True),
        (b"version https://git-lfs.github.com/spec/v1\n", 130, False),
        (b"TRACK\0 version https://git-lfs", 130, True),
    ],
)
def test_a_small_file_may_stand_for_one_that_was_not_fetched(
    tmp_path: Path, content: bytes, size: int, there: bool
) -> None:
    path = tmp_path / "a.trk"
    path.write_bytes(content.ljust(size))
    if there:
        check_file(path, "give another")
    else:
        with pytest.raises(MissingError, match="only stands for a file that isn't there"):
            check_file(path, "give another")


def not_a_zip() -> Exception:
    """What Python's library says of a file that is none."""
    try:
        return AssertionError(zipfile.ZipFile(io.BytesIO(b"none")))
    except zipfile.BadZipFile as error:
        return error


@pytest.mark.parametrize(
    ("error", "becomes", "words"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file"), MissingError, r"can't be read: No such file\."),
        (OSError(errno.EIO, "Input/output error"), InputError, r"can't be read: Input/output error\."),
        (OSError("no number"), DamagedError, r"can't be read as an image: no number\."),
        (ValueError("two\nlines."), DamagedError, r"can't be read as an image: two lines\."),
        (KeyError("dim"), DamagedError, r"can't be read as an image: KeyError 'dim'\."),
        (not_a_zip(), DamagedError, "can't be read as an image: what it holds can't be unpacked, .*"),
        (RecursionError(), DamagedError, r"can't be read as an image: RecursionError\."),
        (ValueError("a " + "b" * 400), DamagedError, r"can't be read as an image: a b{298}\."),
    ],
)
def test_what_goes_wrong_is_said_of_the_file(
    tmp_path: Path, error: Exception, becomes: type[InputError], words: str
) -> None:
    with (
        pytest.raises(InputError, match=f"^{tmp_path}/a.nii {words}$") as raised,
        reading(tmp_path / "a.nii", "an image"),
    ):
        raise error
    assert type(raised.value) is becomes
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [MemoryError(), OSError(errno.ENOMEM, "Cannot allocate"), InputError("of another file")], ids=repr
)
def test_what_is_not_the_files_fault_passes(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)) as raised, reading(tmp_path / "a.nii"):
        raise error
    assert raised.value is error


def test_a_listener_hears_which_file_is_being_read(tmp_path: Path) -> None:
    """The inner one of two, the outer one again, and none at last, also where reading ends with an error."""
    heard: list[str] = []
    listen(heard.append)
    try:
        with reading(tmp_path / "a"), reading(tmp_path / "b"):
            pass
        with pytest.raises(DamagedError), reading(tmp_path / "c"):
            raise ValueError
    finally:
        listen(lambda path: None)
    assert heard == [f"{tmp_path}/a", f"{tmp_path}/b", f"{tmp_path}/a", "", f"{tmp_path}/c", ""]


def test_between_two_values_nothing_is_read(tmp_path: Path) -> None:
    """What goes wrong there isn't the file's fault."""
    heard: list[str] = []

    def values() -> Iterator[int | None]:
        yield 1
        yield None
        raise ValueError("short of data")

    listen(heard.append)
    try:
        found = each(tmp_path / "a", "a list", values())
        assert (next(found), heard[-1]) == (1, "")
        assert (next(found), heard[-1]) == (None, "")
        with pytest.raises(DamagedError, match=r"a can't be read as a list: short of data\."):
            next(found)
    finally:
        listen(lambda path: None)
    assert heard == [f"{tmp_path}/a", ""] * 3


def test_the_demo_is_three_bundles_of_five_people(tmp_path: Path) -> None:
    """Unpacked again they have the same times, so that what was drawn of them is kept."""
    times = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        assert demo.unpack(folder) == folder
        files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        people = {path.parts[0] for path in files}
        assert (len(files), len(people)) == (15, 5)
        assert all(len(path.parts) == 2 and path.suffix == ".trk" for path in files)
        assert not any("_" in person for person in people)
        times.append([(folder / path).stat().st_mtime for path in files])
    assert times[0] == times[1]
    assert max(times[0]) < 1.65e9, "those in the archive, not when it was unpacked"
