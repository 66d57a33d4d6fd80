"""Print the JSON Schema of the records beside pictures, made from the classes that read and write them.

``make schema`` renews docs/records.schema.json, and a test fails when it is out of date.
"""

import json
import re
import sys
from collections.abc import Mapping
from inspect import getdoc
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from tractcap.records.check_sidecar import CheckRecord
from tractcap.records.json_record import Count, JsonRecord, OneOf
from tractcap.records.tractogram_sidecar import DrawnRecord, UndrawnRecord

RECORDS = (DrawnRecord, UndrawnRecord, CheckRecord)
TYPES = {str: "string", float: "number", int: "integer", bool: "boolean", NoneType: "null"}

Schema = dict[str, Any]


def schema() -> Schema:
    """Any of the records; each kind of object is defined once, by its class's name."""
    definitions: dict[str, Schema] = {}
    records = [_of(record, definitions) for record in RECORDS]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A record of tractcap: the JSON file beside the pictures of a tractogram, or of a check of it",
        "anyOf": records,
        "$defs": definitions,
    }


def _of(kind: Any, definitions: dict[str, Schema]) -> Schema:
    """The schema of values of an annotation's kind."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind == Count:
        return {"type": "integer", "minimum": 0}
    if origin is Annotated:
        words = [word for check in arguments[1:] if isinstance(check, OneOf) for word in check.words]
        return _of(arguments[0], definitions) | ({"enum": words} if words else {})
    if origin in (Union, UnionType):
        alternatives = [_of(alternative, definitions) for alternative in arguments]
        if all(alternative.keys() == {"type"} for alternative in alternatives):
            return {"type": [alternative["type"] for alternative in alternatives]}
        return {"anyOf": alternatives} if len(alternatives) > 1 else alternatives[0]
    if origin is tuple:
        count = {} if arguments[-1] is Ellipsis else {"minItems": len(arguments), "maxItems": len(arguments)}
        return {"type": "array", "items": _of(arguments[0], definitions), **count}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _of(arguments[1], definitions)}
    if isinstance(kind, type) and issubclass(kind, JsonRecord):
        if kind.__name__ not in definitions:
            definitions[kind.__name__] = {}  # its place, before those within it
            definitions[kind.__name__].update(_object(kind, definitions))
        return {"$ref": f"#/$defs/{kind.__name__}"}
    return {} if kind is Any else {"type": TYPES[kind]}


def _object(kind: type[JsonRecord], definitions: dict[str, Schema]) -> Schema:
    """An object with a record's keys; those that are always written are required, and there may be more."""
    kinds, keys = get_type_hints(kind, include_extras=True), kind.known_keys()
    named = {field.name: key for key, field in keys.items()}
    texts = [getdoc(each) for each in kind.__mro__ if issubclass(each, JsonRecord) and each is not JsonRecord]
    text = re.sub(r"``([\w-]+)``", lambda found: named.get(found[1], found[1]), " ".join(filter(None, texts)))
    required = [key for key, field in keys.items() if "omit" not in field.metadata]
    properties = {
        key: _of(kinds[field.name] if key in required else _without_none(kinds[field.name]), definitions)
        for key, field in keys.items()
    }
    description = (
        re.sub(r"\s+(Parameters -+ )?", " ", text).replace("None for", "null for").replace("if None", "if null")
    )
    return {"description": description, "type": "object", "required": required, "properties": properties}


def _without_none(kind: Any) -> Any:
    """The kind of a value whose key isn't written where there is none."""
    return Union[tuple(alternative for alternative in get_args(kind) if alternative is not NoneType)]  # noqa: UP007


def text(content: Any, indent: str = "") -> str:
    """JSON with a line for each key, but for objects that fit into one."""
    line = json.dumps(content, ensure_ascii=False)
    if not isinstance(content, dict) or (len(line) < 110 and indent):
        return line
    inner = indent + "  "
    lines = [f"{inner}{json.dumps(key)}: {text(value, inner)}" for key, value in content.items()]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


if __name__ == "__main__":
    sys.stdout.write(text(schema()) + "\n")
