"""Files that a run reads though anything may lie in their place: a folder, a pipe, another program's file, a half."""

import json
import os
import stat
from pathlib import Path
from typing import Any, NoReturn

from tractcap.errors import RecordError

MOST = 16 * 2**20
"""Bytes of the largest file that is read; the record of an overview of 10,000 bundles has a quarter of that."""


def read_object(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds.

    Raises
    ------
    FileNotFoundError
        When there is no file.
    RecordError
        When it can't be read, or holds something else.
    """
    text = read_text(path)
    try:
        told = json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise RecordError(path, "it is nested too deeply") from None
    except ValueError as error:
        raise RecordError(path, _why(text, error)) from None
    if not isinstance(told, dict):
        raise RecordError(path, "it holds no JSON object")
    return told


def read_text(path: Path) -> str:
    """The text of a file in UTF-8.

    Raises
    ------
    FileNotFoundError
        When there is no file.
    RecordError
        When it is no file that can be read whole, or no text.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecordError(path, f"its byte {error.start:,} is no UTF-8 text") from None


def read_bytes(path: Path, most: int = MOST) -> bytes:
    """What a file holds.

    Raises
    ------
    FileNotFoundError
        When there is no file.
    RecordError
        When it is no file that can be read whole.
    """
    data = read_start(path, most + 1)
    if len(data) > most:
        raise RecordError(path, f"it has more than {most // 2**20} MB, as none that tractcap writes")
    return data


def read_start(path: Path, most: int) -> bytes:
    """The first bytes of a file, at most so many. A named pipe isn't waited for.

    Raises
    ------
    FileNotFoundError
        When there is no file.
    RecordError
        When it is no file that can be read.
    """
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise RecordError(path, "it is a pipe or device, not a file")
            return file.read(min(state.st_size, most))
    except FileNotFoundError:
        if path.is_symlink():
            raise RecordError(path, "it is a link to a file that isn't there") from None
        raise
    except OSError as error:
        raise RecordError(path, f"it can't be read ({error.strerror or error})") from None
    except ValueError:
        raise RecordError(path, "its name can't be that of a file") from None


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"it holds {word}, which is no number")


def _why(text: str, error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is no whole JSON (line {error.lineno})" if text.strip() else "it is empty"
    return str(error) if str(error).startswith("it holds") else "it holds a number of thousands of digits"
