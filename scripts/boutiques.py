"""Print the Boutiques descriptor of tractcap's command line, made from the command line itself.

    boutiques.py [INDEX IMAGE]

``make boutiques`` renews the one in integrations/, and a test fails when it is out of date. A release says in which
registry the image is, by INDEX, and by what name.
"""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click

from tractcap import __version__
from tractcap.cli import tractcap
from tractcap.cli_options import LEVELS, OPTIONS, REVIEW, REVIEW_OPTIONS

_WRITTEN = ("output", "work_dir")
"""Folders that needn't be there before: Boutiques would look for a file."""

_REQUIRES = {"as_json": ["dry_run"]}

_LEFT_OUT = ("version", "self_test", *(option.name for option in OPTIONS[REVIEW_OPTIONS]))
"""Review is no analysis: it runs until it is stopped, and has no outputs of its own."""

_OUTPUTS = (
    ("output_folder", "Output folder", "", "All that was written: a BIDS derivative."),
    ("group_page", "Page of the group", "/group.html", "Everyone's tractograms, to look at in a browser."),
    ("group_table", "Table of the group", "/group_tractograms.tsv", "One line for each tractogram."),
)


_RESOURCES = {"cpu-cores": 2, "ram": 2, "disk-space": 1, "walltime-estimate": 3600}
"""For a participant of some 70 bundles; the image keeps to less too."""


def descriptor(index: str = "", image: str = f"tractcap:{__version__}") -> dict[str, Any]:
    """What Boutiques shall know of tractcap."""
    parameters = [parameter for parameter in tractcap.params if parameter.name not in _LEFT_OUT]
    keys = [_key(parameter) for parameter in parameters]
    return {
        "name": "tractcap",
        "description": "Tractograms in, pictures out, under a memory cap: offscreen quality control of tractography.",
        "author": "The tractcap developers",
        "tool-version": __version__,
        "schema-version": "0.5",
        "command-line": f"tractcap {' '.join(keys)}",
        "shell": "/bin/bash",  # sh is called as a login shell, which would forget the image's PATH
        "container-image": {
            "type": "docker",
            "image": image,
            "entrypoint": True,
            **({"index": index} if index else {}),
        },
        "suggested-resources": _RESOURCES,
        "inputs": [_input(parameter) for parameter in parameters],
        "groups": [_group(title, options) for title, options in OPTIONS.items() if title != REVIEW_OPTIONS],
        "output-files": [
            {"id": name, "name": title, "description": what, "path-template": f"[OUTPUT]{path}", "optional": True}
            for name, title, path, what in _OUTPUTS
        ],
        "error-codes": list(_statuses()),
        "tags": {"domain": ["neuroinformatics", "mri", "diffusion", "tractography", "quality-control"]},
    }


def _group(title: str, options: Sequence[click.Parameter]) -> dict[str, Any]:
    name = f"{title.lower().replace(' ', '_')}_options"  # no input has such a name
    return {"id": name, "name": title, "members": [_id(option) for option in options]}


def _key(parameter: click.Parameter) -> str:
    return f"[{_id(parameter).upper()}]"


def _id(parameter: click.Parameter) -> str:
    """The name that is typed: an option's first long name."""
    long = [name for name in parameter.opts if name.startswith("--")]
    return (long[0] if long else str(parameter.name)).lstrip("-").replace("-", "_")


def _input(parameter: click.Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {"id": _id(parameter), "name": _id(parameter).replace("_", " ").capitalize()}
    described |= {
        "optional": not (parameter.required or parameter.name == "level"),
        "value-key": _key(parameter),
        **_type(parameter),
    }
    if isinstance(parameter, click.Option):
        described["description"] = _help(parameter)
        if parameter.count:
            return described
        described["command-line-flag"] = _flag(parameter)
    else:
        described["description"] = _about(parameter)
    if parameter.name in _REQUIRES:
        described["requires-inputs"] = _REQUIRES[parameter.name]
    return described


def _flag(option: click.Option) -> str:
    return next((name for name in option.opts if name.startswith("--")), option.opts[0])


def _type(parameter: click.Parameter) -> dict[str, Any]:
    if isinstance(parameter, click.Option) and parameter.count:
        short = parameter.opts[0]
        return {"type": "String", "value-choices": [short, f"{short}{short[-1]}"]}
    if isinstance(parameter, click.Option) and parameter.is_flag:
        return {"type": "Flag"}
    several = {"list": True, "list-separator": " "} if parameter.multiple else {}
    return {**_kind(parameter.type, parameter.name in _WRITTEN), **several}


def _kind(kind: Any, written: bool) -> dict[str, Any]:
    if isinstance(kind, click.Choice):
        return {"type": "String", "value-choices": [choice for choice in kind.choices if choice != REVIEW]}
    if isinstance(kind, click.Path) and not written:
        return {"type": "File"}
    whole = isinstance(kind, type(click.INT))
    if whole or isinstance(kind, type(click.FLOAT)):
        return {"type": "Number", "integer": whole, **_bounds(kind)}
    return {"type": "String"}


def _bounds(kind: Any) -> dict[str, Any]:
    bounds: dict[str, Any] = {}
    for end, boundary in (("minimum", "min"), ("maximum", "max")):
        if (value := getattr(kind, boundary, None)) is not None:
            bounds[end] = value
            if getattr(kind, f"{boundary}_open"):
                bounds[f"exclusive-{end}"] = True
    return bounds


def _help(option: click.Option) -> str:
    text = re.sub(r"\s*\[default: (.*)\]$", r" Default: \1.", " ".join((option.help or "").split()))
    default = option.default if option.show_default else None
    return text if default is None else f"{text} Default: {default}."


def _about(argument: click.Parameter) -> str:
    """The sentences of the help that begin with an argument's name in capitals, or go on to it."""
    name = str(argument.name).upper()
    paragraph = " ".join((tractcap.help or "").split("\b")[0].split())
    sentences = [text for text in re.split(r"(?<=[.])\s+", paragraph) if re.search(rf"\b{name}\b", text)]
    if isinstance(argument.type, click.Choice) and not sentences:
        return f"Of the analysis: {' or '.join(LEVELS)}."
    return " ".join(sentences)


def _statuses() -> Iterator[dict[str, Any]]:
    """Exit statuses, as the help has them."""
    text = " ".join((tractcap.help or "").partition("Exit status:")[2].split())
    for part in text.rstrip(".").split(";"):
        if match := re.fullmatch(r"\s*(\d+)(?: or (\d+))? (.+)", part):
            codes = (int(code) for code in match.groups()[:2] if code)
            yield from ({"code": code, "description": match[3]} for code in codes if code)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(descriptor(*sys.argv[1:]), indent=2, ensure_ascii=False) + "\n")
