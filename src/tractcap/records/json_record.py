"""What JSON holds, as frozen dataclasses: read with a check of each value's kind, and written.

A class names its keys by its fields: ``source_bytes`` is ``SourceBytes``, or just that where the class says
``keys=str``. Kinds are those of the annotations: text, numbers, tuples, mappings by text, other such classes, None.
"""

import contextlib
import json
import marshal
import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, ClassVar, Self, Union, get_args, get_origin, get_type_hints

from tractcap.errors import RecordError
from tractcap.files import read_json, write_text

OMIT: Mapping[str, Any] = MappingProxyType({"omit": True})
"""Metadata of a field whose key isn't written where its value is None. Its key may be given by ``key``."""

_LARGEST = 2**63
_MOST = sys.float_info.max
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
    """What an object in JSON holds. ``more`` are keys that this version doesn't know; they are written again.

    A class is ``shared`` where many records in a row hold the same: then it is read once for all of them.
    """

    more: Mapping[str, Any] = field(default_factory=dict, hash=False)

    _key: ClassVar[Callable[[str], str]] = camel
    _shared: ClassVar[bool] = False

    def __init_subclass__(cls, keys: Callable[[str], str] = camel, *, shared: bool = False) -> None:
        super().__init_subclass__()
        cls._key, cls._shared = staticmethod(keys), shared

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
        known, values, key = cls._parsers(), dict[str, Any](), ""
        try:
            for key, (field_, name, parse) in known.items():
                if key in content:
                    values[name] = parse(content[key])
                elif field_.default is MISSING and field_.default_factory is MISSING:
                    raise WrongValueError("is missing")
        except WrongValueError as wrong:
            raise wrong.within(key) from None
        if len(values) < len(content):
            more = {key: _within(_anything, value, key) for key, value in content.items() if key not in known}
            values["more"] = more
        record = cls(**values)
        record.validate()
        return record

    def validate(self) -> None:
        """Raise :class:`WrongValueError` where values don't fit each other."""

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        content = {}
        for key, (field_, name, _) in self._parsers().items():
            value = getattr(self, name)
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
    def known_keys(cls) -> dict[str, Field[Any]]:
        """The keys that this version knows, and their fields."""
        known = (field_ for field_ in fields(cls) if field_.name != "more")
        return {field_.metadata.get("key") or cls._key(field_.name): field_ for field_ in known}

    @classmethod
    @cache
    def _parsers(cls) -> dict[str, tuple[Field[Any], str, Callable[[Any], Any]]]:
        kinds = get_type_hints(cls, include_extras=True)
        return {key: (field_, field_.name, parser(kinds[field_.name])) for key, field_ in cls.known_keys().items()}


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
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return partial(_checked, parser(arguments[0]), arguments[1:])
    if origin in (Union, UnionType):
        first, *others = (parser(alternative) for alternative in arguments if alternative is not NoneType)
        parse = partial(_any_of, [first, *others]) if others else first
        return partial(_unless_none, parse) if NoneType in arguments else parse
    if origin is tuple:
        return partial(_items, parser(arguments[0]), None if arguments[-1] is Ellipsis else len(arguments))
    if origin is Mapping:
        return partial(_values, parser(arguments[1]))
    if isinstance(kind, type) and issubclass(kind, JsonRecord):
        return _Shared(kind) if kind._shared else kind.parse
    return _anything if kind is Any else _QUICK.get(kind) or partial(_simple, kind)


class _Shared:
    """Reads records of a kind; of equal ones in a row, the first."""

    def __init__(self, kind: type[JsonRecord]) -> None:
        self._kind = kind
        self._last: tuple[bytes, JsonRecord | None] = b"", None

    def __call__(self, value: Any) -> JsonRecord | None:
        try:
            content = marshal.dumps(value, 2)  # in which 1, 1.0 and true differ
        except ValueError:  # thousands of lists within each other, which parsing refuses
            return self._kind.parse(value)
        if content != self._last[0]:
            self._last = content, self._kind.parse(value)
        return self._last[1]


def _checked(parse: Callable[[Any], Any], checks: tuple[Callable[[Any], None], ...], value: Any) -> Any:
    value = parse(value)
    for check in checks:
        check(value)
    return value


def _unless_none(parse: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else parse(value)


def _any_of(parsers: list[Callable[[Any], Any]], value: Any) -> Any:
    for parse in parsers[:-1]:
        with contextlib.suppress(WrongValueError):
            return parse(value)
    return parsers[-1](value)


def _items(parse: Callable[[Any], Any], count: int | None, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise WrongValueError(f"is {kind_of(value)}, not a list")
    if count not in (None, len(value)):
        raise WrongValueError(f"has {len(value)} parts, not {count}")
    try:
        return tuple(map(parse, value))
    except WrongValueError:  # once more, to say which
        return tuple(_within(parse, item, f"[{number}]") for number, item in enumerate(value))


def _values(parse: Callable[[Any], Any], value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise WrongValueError(f"is {kind_of(value)}, not an object")
    return {_simple(str, key): _within(parse, item, key) for key, item in value.items()}


def _within(parse: Callable[[Any], Any], value: Any, key: str) -> Any:
    try:
        return parse(value)
    except WrongValueError as wrong:
        raise wrong.within(key) from None


def _anything(value: Any, deeper: int = _DEEPEST) -> Any:
    """What can be written as it was read."""
    if not deeper:
        raise WrongValueError("is nested too deeply")
    if isinstance(value, float):
        return _simple(float, value)
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    for item in items:
        _anything(item, deeper - 1)
    return value


def _simple(kind: type, value: Any) -> Any:
    """A text, a number, or true or false, that can be written out."""
    python_type, words = _SIMPLE[kind]
    if not isinstance(value, python_type) or (isinstance(value, bool) and kind is not bool):  # Python's are integers
        raise WrongValueError(f"is {kind_of(value)}, not {words}")
    if kind is float and not _is_number(value):
        raise WrongValueError("is no number that can be written out")
    if kind is int and not -_LARGEST <= value < _LARGEST:
        raise WrongValueError("is larger than any number that tractcap writes")
    if kind is str and not value.isascii():
        try:
            value.encode(errors="surrogateescape")
        except UnicodeEncodeError:
            raise WrongValueError("holds half a character") from None
    return value


_SIMPLE: Mapping[type, tuple[Any, str]] = {
    str: (str, "text"), float: ((int, float), "a number"), int: (int, "a whole number"), bool: (bool, "true or false"),
}  # fmt: skip


# most values are of the kind that they should be, which these see at once


def _text(value: Any) -> Any:
    return value if type(value) is str and value.isascii() else _simple(str, value)


def _number(value: Any) -> Any:
    return value if type(value) is float and -_MOST <= value <= _MOST else _simple(float, value)


def _whole(value: Any) -> Any:
    return value if type(value) is int and -_LARGEST <= value < _LARGEST else _simple(int, value)


_QUICK: Mapping[type, Callable[[Any], Any]] = {str: _text, float: _number, int: _whole}


def _is_number(value: float) -> bool:
    return -_MOST <= value <= _MOST


# what values must fulfil beside their kind


def refuse(is_wrong: Callable[[Any], bool], what: str) -> Callable[[Any], None]:
    """What raises :class:`WrongValueError` with ``what`` is wrong of a value, in the annotation of a field."""

    def check(value: Any) -> None:
        if is_wrong(value):
            raise WrongValueError(what)

    return check


@dataclass(frozen=True)
class OneOf:
    """Refuses all but these words, in the annotation of a field."""

    words: tuple[str, ...]

    def __call__(self, value: Any) -> None:
        """Raise :class:`WrongValueError` if a value is none of the words."""
        if value not in self.words:
            raise WrongValueError(f"is none of {', '.join(self.words)}")


def _unfit_for_names(text: str) -> bool:
    return "/" in text or "\0" in text or len(text.encode(errors="surrogateescape")) > _LONGEST_LABEL


def _refuse_negative(value: int) -> None:
    if value < 0:
        raise WrongValueError("is below zero")


Count = Annotated[int, _refuse_negative]
Label = Annotated[str, refuse(_unfit_for_names, "is no label")]
FileName = Annotated[
    str, refuse(lambda value: value in ("", ".", "..") or "/" in value or "\0" in value, "is no name of a file")
]
Vector = tuple[float, float, float]
Color = tuple[int, int, int]
"""Red, green and blue from 0 to 255."""
