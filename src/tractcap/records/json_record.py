"""What JSON holds, as frozen dataclasses: read with a check of each value's kind, and written.

A class names its keys by its fields: ``source_bytes`` is ``SourceBytes``, or just that where the class says
``keys=str``. Kinds are those of the annotations: text, numbers, tuples, mappings by text, other such classes, None.
"""

import contextlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import cache
from pathlib import Path
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, ClassVar, Self, Union, get_args, get_origin, get_type_hints

from tractcap.errors import RecordError
from tractcap.files import read_json, write_text

OMIT: Mapping[str, Any] = MappingProxyType({"omit": True})
"""Metadata of a field whose key isn't written where its value is None. Its key may be given by ``key``."""

_LARGEST = 2**63
_DEEPEST = 50
"""Lists and objects within each other, of what may be of any kind: writing them takes a call of a function for each."""
_LONGEST_LABEL = 240
"""Bytes of what stands in names of files."""


class WrongValueError(ValueError):
    """A value isn't of the kind that its key has: which key, and what it is instead."""

    def __init__(self, what: str, where: str = "") -> None:
        super().__init__(f"“{where}” {what}" if where else f"it {what}")
        self.what, self.where = what, where

    def within(self, key: str) -> "WrongValueError":
        """The same, seen from what holds the value under ``key``."""
        dot = "." if self.where and not self.where.startswith("[") else ""
        return WrongValueError(self.what, f"{key}{dot}{self.where}")


def camel(name: str) -> str:
    """A field's name as most keys are written: ``SourceBytes``."""
    return "".join(part.capitalize() for part in name.strip("_").split("_"))


@dataclass(frozen=True, kw_only=True)
class JsonRecord:
    """What an object in JSON holds. ``more`` are keys that this version doesn't know; they are written again."""

    more: Mapping[str, Any] = field(default_factory=dict, hash=False)

    _key: ClassVar[Callable[[str], str]] = camel

    def __init_subclass__(cls, keys: Callable[[str], str] = camel) -> None:
        super().__init_subclass__()
        cls._key = staticmethod(keys)

    @classmethod
    def parse(cls, content: Any) -> Self:
        """From what JSON holds.

        Raises
        ------
        WrongValueError
            When a key is missing, or a value isn't of its kind.
        """
        if not isinstance(content, dict):
            raise WrongValueError(f"is {kind_of(content)}, not an object")
        known = cls._parsers()
        values: dict[str, Any] = {}
        for key, (field_, parse) in known.items():
            if key in content:
                values[field_.name] = _within(parse, content[key], key)
            elif field_.default is MISSING and field_.default_factory is MISSING:
                raise WrongValueError("is missing", key)
        if more := {key: _within(_anything, value, key) for key, value in content.items() if key not in known}:
            values["more"] = more
        record = cls(**values)
        record.validate()
        return record

    def validate(self) -> None:
        """Raise :class:`WrongValueError` where values don't fit each other."""

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        content = {}
        for key, (field_, _) in self._parsers().items():
            value = getattr(self, field_.name)
            if value is not None or "omit" not in field_.metadata:
                content[key] = _plain(value)
        return content | {key: _plain(value) for key, value in self.more.items()}

    def text(self) -> str:
        """As a file holds it."""
        return json.dumps(self.plain(), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a record's file.

        Raises
        ------
        FileNotFoundError
            When there is none.
        RecordError
            When it isn't such a record.
        """
        content = read_json(path)
        try:
            return cls.parse(content)
        except WrongValueError as wrong:
            raise RecordError(path, str(wrong)) from None

    def write(self, path: Path) -> None:
        """Write a record's file, and the folder that it lies in.

        Raises
        ------
        OSError
            When it can't be written.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, self.text())

    @classmethod
    @cache
    def _parsers(cls) -> dict[str, tuple[Field[Any], Callable[[Any], Any]]]:
        kinds = get_type_hints(cls, include_extras=True)
        return {
            field_.metadata.get("key") or cls._key(field_.name): (field_, parser(kinds[field_.name]))
            for field_ in fields(cls)
            if field_.name != "more"
        }


def _plain(value: Any) -> Any:
    """A number that is none, such as a mean of nothing, is null: JSON knows no other."""
    if isinstance(value, JsonRecord):
        return value.plain()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not _is_number(value) else value


def kind_of(value: Any) -> str:
    """What a value is, in words."""
    kinds = {bool: "true or false", str: "text", NoneType: "null", dict: "an object", list: "a list", tuple: "a list"}
    return next((words for kind, words in kinds.items() if isinstance(value, kind)), "a number")


# parsers, each made once of a field's annotation


def parser(kind: Any) -> Callable[[Any], Any]:
    """What reads values of a kind."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _checked(parser(get_args(kind)[0]), *kind.__metadata__)
    if origin in (Union, UnionType):
        return _any_of([parser(alternative) for alternative in get_args(kind)])
    if origin is tuple:
        return _tuple(get_args(kind))
    if origin is Mapping:
        return _mapping(parser(get_args(kind)[1]))
    if isinstance(kind, type) and issubclass(kind, JsonRecord):
        return kind.parse
    return _SIMPLE[kind]


def _checked(first: Callable[[Any], Any], *checks: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def parse(value: Any) -> Any:
        value = first(value)
        for check in checks:
            check(value)
        return value

    return parse


def _any_of(parsers: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    *others, last = [parse for parse in parsers if parse is not _null]

    def parse(value: Any) -> Any:
        if value is None and _null in parsers:
            return None
        for other in others:
            with contextlib.suppress(WrongValueError):
                return other(value)
        return last(value)

    return parse


def _tuple(kinds: tuple[Any, ...]) -> Callable[[Any], Any]:
    each, several = parser(kinds[0]), kinds[-1] is Ellipsis

    def parse(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise WrongValueError(f"is {kind_of(value)}, not a list")
        if not several and len(value) != len(kinds):
            raise WrongValueError(f"has {len(value)} parts, not {len(kinds)}")
        return tuple(_within(each, item, f"[{number}]") for number, item in enumerate(value))

    return parse


def _mapping(each: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def parse(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise WrongValueError(f"is {kind_of(value)}, not an object")
        return {_text(key): _within(each, item, key) for key, item in value.items()}

    return parse


def _within(parse: Callable[[Any], Any], value: Any, key: str) -> Any:
    try:
        return parse(value)
    except WrongValueError as wrong:
        raise wrong.within(key) from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise WrongValueError(f"is {kind_of(value)}, not text")
    if not value.isascii():
        try:
            value.encode(errors="surrogateescape")
        except UnicodeEncodeError:
            raise WrongValueError("holds half a character") from None
    return value


def _is_number(value: float) -> bool:
    return -sys.float_info.max <= value <= sys.float_info.max


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WrongValueError(f"is {kind_of(value)}, not a number")
    if not _is_number(value):
        raise WrongValueError("is no number that can be written out")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongValueError(f"is {kind_of(value)}, not a whole number")
    if not -_LARGEST <= value < _LARGEST:
        raise WrongValueError("is larger than any number that tractcap writes")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise WrongValueError(f"is {kind_of(value)}, not true or false")
    return value


def _null(value: Any) -> None:
    if value is not None:
        raise WrongValueError(f"is {kind_of(value)}, not null")


def _anything(value: Any, deeper: int = _DEEPEST) -> Any:
    """What can be written as it was read."""
    if not deeper:
        raise WrongValueError("is nested too deeply")
    if isinstance(value, float):
        return _number(value)
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    for item in items:
        _anything(item, deeper - 1)
    return value


_SIMPLE: Mapping[Any, Callable[[Any], Any]] = {
    Any: _anything, str: _text, float: _number, int: _whole, bool: _truth, NoneType: _null,
}  # fmt: skip


# what values must fulfil beside their kind


def _not_negative(value: float) -> None:
    if value < 0:
        raise WrongValueError("is below zero")


def _file_name(value: str) -> None:
    if not value or value in (".", "..") or "/" in value or "\0" in value:
        raise WrongValueError("is no name of a file")


def _label(value: str) -> None:
    if "/" in value or "\0" in value or len(value.encode(errors="surrogateescape")) > _LONGEST_LABEL:
        raise WrongValueError("is no label")


def one_of(words: tuple[str, ...]) -> Callable[[str], None]:
    """Refuses all but these words."""

    def check(value: str) -> None:
        if value not in words:
            raise WrongValueError(f"is none of {', '.join(words)}")

    return check


Count = Annotated[int, _not_negative]
Label = Annotated[str, _label]
FileName = Annotated[str, _file_name]
Vector = tuple[float, float, float]
Color = tuple[int, int, int]
"""Red, green and blue from 0 to 255."""
