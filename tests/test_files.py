"""Files are written whole; whatever lies in the place of a text that others write costs no more than that text."""

import errno
import fcntl
import inspect
import itertools
import os
import re
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from damage import FILES

from tractcap import files
from tractcap.checks import flags
from tractcap.errors import SettingsError
from tractcap.files import all_together, clear_parts, write_text
from tractcap.inputs import filters
from tractcap.inputs.images import ImageFile
from tractcap.inputs.search import search
from tractcap.interrupts import Interrupted

RULES = """\
flag = [
    {name = "few", check = "cci", measure = "Retention", below = 0.2},
    {name = "short", check = "shape", measure = "LengthMean", below = 20}]
"""


def read_filters(path: Path) -> object:
    return filters.read(path)


def read_rules(path: Path) -> object:
    return flags.read(path)


@pytest.mark.parametrize("damage", FILES.values(), ids=FILES)
@pytest.mark.parametrize(
    ("name", "text", "read"),
    [("filters.json", '{"tractogram": {"run": 1}}', read_filters), ("flags.toml", RULES, read_rules)],
)
def test_what_was_given_is_refused_by_its_name(
    tmp_path: Path, name: str, text: str, read: Callable[[Path], object], damage: Callable[[Path], None]
) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert read(path)
    damage(path)
    if damage is FILES["empty"] and read is read_rules:  # which are no rules
        assert read(path) == ()
        return
    with pytest.raises(SettingsError, match=re.escape(str(path))) as raised:
        read(path)
    assert str(raised.value).endswith(".")


@pytest.mark.parametrize("damage", FILES.values(), ids=FILES)
def test_what_lies_in_a_dataset_stops_nothing(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """A map's JSON file: it has no unit then. A dataset's description: it isn't one of tractcap's then."""
    (tmp_path / "sub-01/figures").mkdir(parents=True)
    (tmp_path / "sub-01/figures/AF_L.trk").touch()
    nib.Nifti1Image(np.ones((3, 3, 3), "f4"), np.eye(4)).to_filename(tmp_path / "sub-01/fa.nii.gz")
    unit, made = tmp_path / "sub-01/fa.json", tmp_path / "dataset_description.json"
    unit.write_text('{"Units": "mm"}')
    made.write_text('{"GeneratedBy": [{"Name": "tractcap"}]}')

    def found() -> tuple[str, int]:
        return ImageFile(tmp_path / "sub-01/fa.nii.gz").values().unit, len(search(tmp_path, filters.Filters()).sources)

    assert found() == ("mm", 0)
    damage(unit)
    damage(made)
    assert found() == ("", 1)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EIO])
def test_where_there_are_no_locks_nothing_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    def refuse(*_given: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with all_together(tmp_path, "a") as part:
        clear_parts(tmp_path, "a")
        assert part.is_dir()
        assert f"{part} stays: remove it" in caplog.text
    write_text(tmp_path / "a.txt", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_what_is_begun_may_be_taken_for_left_over_before_it_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another run, which clears away what writers that died left: a second is begun then."""
    flock, others = fcntl.flock, ["clears away"]

    def late(handle: int, kind: int) -> None:
        if others:
            others.clear()
            monkeypatch.setattr(fcntl, "flock", flock)
            clear_parts(tmp_path, "a")
            monkeypatch.setattr(fcntl, "flock", late)
        flock(handle, kind)

    monkeypatch.setattr(fcntl, "flock", late)
    write_text(tmp_path / "a.txt", "whole")
    assert not others
    others.append("clears away")
    with all_together(tmp_path, "a") as part:
        assert not others
        (part / "b.txt").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "whole"


def test_other_errors_of_writing_are_raised_with_the_files_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match=re.escape(str(tmp_path / "a.txt"))):
        write_text(tmp_path / "a.txt", "lost")
    assert not list(tmp_path.iterdir())


def interrupted_at(moment: int, call: Callable[[], None]) -> bool:
    """Whether a call was interrupted at this line of the module, or return from one of its functions."""
    left = moment

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename != files.__file__:
            return None
        left -= event == "line" or (event == "return" and not frame.f_code.co_flags & inspect.CO_GENERATOR)
        if left == 0:
            raise Interrupted(signal.SIGINT)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    except Interrupted:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # files that nobody closes any more
def test_a_signal_leaves_nothing_half_whenever_it_comes(tmp_path: Path) -> None:
    outcomes = set()
    for moment in itertools.count(1):
        folder = tmp_path / str(moment)
        folder.mkdir()
        interrupted = interrupted_at(moment, partial(write_text, folder / "a.txt", "whole"))
        left = {path.name: path.read_text() for path in folder.iterdir()}
        assert left in ({}, {"a.txt": "whole"}), moment
        outcomes.add((interrupted, bool(left)))
        if not interrupted:
            break
    assert moment > 15
    assert outcomes == {(True, False), (True, True), (False, True)}
