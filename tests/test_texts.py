"""Every text is read, written and printed as UTF-8, whatever the locale says."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import phantoms
import pytest

import tractcap

SOURCE = Path(tractcap.__file__).parent
OPENERS = {"open", "fdopen", "read_text", "write_text", "NamedTemporaryFile", "TemporaryFile", "TextIOWrapper"}
BINARY = {"Image", "av", "archive", "given", "os", "stack"}
"""Whose ``open`` knows no text."""


def without_encoding(text: str) -> Iterator[int]:
    """Lines of calls that open, read or write text in the locale's encoding."""
    for call in ast.walk(ast.parse(text)):
        if not isinstance(call, ast.Call) or _name(call.func) not in OPENERS:
            continue
        owner = _name(call.func.value) if isinstance(call.func, ast.Attribute) else ""
        if _name(call.func) == "open" and owner in BINARY:
            continue
        if _name(call.func) in ("read_text", "write_text") and not owner and isinstance(call.func, ast.Name):
            continue  # our own, which are of UTF-8
        if not any(word.arg in ("encoding", "encoding_errors") for word in call.keywords) and not _is_binary(call):
            yield call.lineno


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _is_binary(call: ast.Call) -> bool:
    if _name(call.func) in ("NamedTemporaryFile", "TemporaryFile"):  # binary unless told otherwise
        return not any(word.arg == "mode" for word in call.keywords)
    modes = [*call.args, *(word.value for word in call.keywords if word.arg == "mode")]
    return any(isinstance(one, ast.Constant) and isinstance(one.value, str) and "b" in one.value for one in modes[:2])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("path.read_text()", True),
        ("path.read_text(encoding='utf-8')", False),
        ("path.write_text(text)", True),
        ("open(path)", True),
        ("open(path, 'rb')", False),
        ("path.open('w')", True),
        ("path.open('wb')", False),
        ("os.fdopen(handle, 'w')", True),
        ("os.open(path, 0)", False),
    ],
)
def test_what_is_found(text: str, found: bool) -> None:
    assert bool(list(without_encoding(text))) == found


def test_every_text_names_its_encoding() -> None:
    found = {
        f"{path.relative_to(SOURCE)}:{line}"
        for path in SOURCE.rglob("*.py")
        for line in without_encoding(path.read_text(encoding="utf-8"))
    }
    assert found == set()


LOCALES: dict[str, Mapping[str, str]] = {
    "utf-8": {"LC_ALL": "C.UTF-8"},
    "strict": {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "utf-8:strict"},
    "ascii": {"LC_ALL": "C", "LANG": "", "PYTHONUTF8": "0"},
    "ascii, strict": {"LC_ALL": "POSIX", "LANG": "", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii:strict"},
}


def test_the_locale_changes_nothing(tmp_path: Path) -> None:
    """Neither what is printed nor any byte of pages, tables and records; of names that are no UTF-8 too."""
    source = tmp_path / "in/sub-01/dwi"
    source.mkdir(parents=True)
    for name in ("Faserbündel_L.tck".encode(), b"odd\xff_R.tck"):
        phantoms.save(tmp_path / "any.tck", phantoms.asymmetric_bundle(3))
        (tmp_path / "any.tck").rename(source / os.fsdecode(name))
        os.utime(source / os.fsdecode(name), ns=(1, 10**18))
    seen = [_all_that_is_made(tmp_path, variables) for variables in LOCALES.values()]
    assert "sub-01/figures/Faserbündel_L_mosaic.png".encode() in seen[0]["stdout"]
    assert b"sub-01/figures/odd\xff_R_mosaic.png" in seen[0]["stdout"]
    assert "Faserbündel_L.tck".encode() in seen[0]["sub-01/figures/Faserbündel_L.json"]
    for one in seen[1:]:
        assert one == seen[0]


def _all_that_is_made(root: Path, variables: Mapping[str, str]) -> dict[str, bytes]:
    """What is printed, and the bytes of all texts, of both levels."""
    out = root / "out"
    made = {"stdout": b""}
    for level in ("participant", "group"):
        command = [sys.executable, "-m", "tractcap", root / "in", out, level, "--size", "64", "--views", "left"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
        done = subprocess.run(command, env=environment | variables, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "Faserbündel_L.tck: 3 streamlines".encode() in done.stderr or level == "group"
        made["stdout"] += done.stdout
    texts = [path for path in out.rglob("*") if path.suffix in (".html", ".tsv", ".json", ".md")]
    made |= {str(path.relative_to(out)): path.read_bytes() for path in texts}
    out.rename(root / f"out-{len(list(root.iterdir()))}")
    return made
