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
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, ClassVar, Self, Union, get_args, get_origin, get_type_hints

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
        cls._key = staticmethod(keys)

    @classmethod
    def parse(cls, told: Any) -> Self:
        """From what JSON holds.

        Raises
        ------
        WrongValueError
            When a key is missing, or a value isn't of its kind.
        """
        if not isinstance(told, dict):
            raise WrongValueError(f"is {kind_of(told)}, not an object")
        known = cls._parsers()
        found: dict[str, Any] = {}
        for key, (one, parse) in known.items():
            if key in told:
                try:
                    found[one.name] = parse(told[key])
                except WrongValueError as wrong:
                    raise wrong.within(key) from None
            elif one.default is MISSING and one.default_factory is MISSING:
                raise WrongValueError("is missing", key)
        if more := {key: _within(_anything, value, key) for key, value in told.items() if key not in known}:
            found["more"] = more
        made = cls(**found)
        made.validate()
        return made

    def validate(self) -> None:
        """Raise :class:`WrongValueError` where values don't fit each other."""

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        known = ((key, one, getattr(self, one.name)) for key, (one, _) in self._parsers().items())
        told = {key: _plain(value) for key, one, value in known if value is not None or "omit" not in one.metadata}
        return told | {key: _plain(value) for key, value in self.more.items()}

    def text(self) -> str:
        """As a file holds it."""
        return json.dumps(self.plain(), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    @cache
    def _parsers(cls) -> dict[str, tuple[Field[Any], Callable[[Any], Any]]]:
        kinds = get_type_hints(cls, include_extras=True)
        own = [one for one in fields(cls) if one.name != "more"]
        return {one.metadata.get("key") or cls._key(one.name): (one, parser(kinds[one.name])) for one in own}


def _plain(value: Any) -> Any:
    """A number that is none, such as a mean of nothing, is null: JSON knows no other."""
    if isinstance(value, JsonRecord):
        return value.plain()
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
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
        return _both(parser(get_args(kind)[0]), *kind.__metadata__)
    if origin in (Union, UnionType):
        return _any_of([parser(one) for one in get_args(kind)])
    if origin is tuple:
        return _tuple(get_args(kind))
    if origin is Mapping:
        return _mapping(parser(get_args(kind)[1]))
    if isinstance(kind, type) and issubclass(kind, JsonRecord):
        return kind.parse
    return _SIMPLE[kind]


def _both(first: Callable[[Any], Any], *then: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def parse(value: Any) -> Any:
        value = first(value)
        for one in then:
            one(value)
        return value

    return parse


def _any_of(parsers: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    nullable, first = _null in parsers, [one for one in parsers if one is not _null]

    def parse(value: Any) -> Any:
        if value is None and nullable:
            return None
        for one in first[:-1]:
            with contextlib.suppress(WrongValueError):
                return one(value)
        return first[-1](value)

    return parse


def _tuple(kinds: tuple[Any, ...]) -> Callable[[Any], Any]:
    each, several = parser(kinds[0]), kinds[-1] is Ellipsis

    def parse(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise WrongValueError(f"is {kind_of(value)}, not a list")
        if not several and len(value) != len(kinds):
            raise WrongValueError(f"has {len(value)} parts, not {len(kinds)}")
        return tuple(_within(each, one, f"[{at}]") for at, one in enumerate(value))

    return parse


def _mapping(each: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def parse(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise WrongValueError(f"is {kind_of(value)}, not an object")
        return {_text(key): _within(each, one, key) for key, one in value.items()}

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
    for one in value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ():
        _anything(one, deeper - 1)
    return value


_SIMPLE: Mapping[Any, Callable[[Any], Any]] = {
    Any: _anything, str: _text, float: _number, int: _whole, bool: _truth, NoneType: _null,
}  # fmt: skip


# what is asked of values beside their kind


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
