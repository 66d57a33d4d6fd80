"""Tables as BIDS wants them: a line for each row, tabs between the columns, no quotes, ``n/a`` for what isn't known."""

import csv
import io
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from tractcap.files import write_whole
from tractcap.records.check_sidecar import Value

NOT_AVAILABLE = "n/a"

_BREAKS = re.compile(r"[\t\r\n\v\f\x85\u2028\u2029]+")
_FORMULA = re.compile(r"'*[=+@-](?![0-9.]+$)")
"""How a cell begins that spreadsheets carry out, behind the apostrophe that hinders them; a number stays one."""

_SURROGATES = re.compile("[\ud800-\udfff]")


def cell(text: str) -> str:
    """A text as it stands in a table, and as the pages write it: on one line, without tabs, in Unicode."""
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", _BREAKS.sub(" ", text)).strip()


def plain(text: str) -> str:
    """The text that a cell stands for: without the apostrophe that is written before what begins like a formula."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def unquoted(text: str) -> str:
    """A cell without the quotes that spreadsheets put around what has commas or quotes in it, which they double."""
    inner = text[1:-1]
    quoted = len(text) > 1 and text[0] == text[-1] == '"' and ("," in inner or '""' in inner)
    return inner.replace('""', '"') if quoted and '"' not in inner.replace('""', "") else text


def write_tsv(path: Path, columns: Iterable[str], rows: Iterable[Iterable[Value]]) -> None:
    """Write a table row by row, by :func:`tractcap.files.write_whole`."""

    def write(file: BinaryIO) -> None:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        table = csv.writer(text, "excel-tab", quoting=csv.QUOTE_NONE, quotechar=None, lineterminator="\n")
        table.writerow(map(harmless, columns))
        table.writerows(map(_written, row) for row in rows)
        text.detach()

    write_whole(path, write)


def _written(value: Value) -> str:
    if value is None or value == "" or value != value:
        return NOT_AVAILABLE
    if isinstance(value, float):
        return f"{value:z.6f}".rstrip("0").rstrip(".")
    return harmless(str(value))


@lru_cache(maxsize=1024)  # most cells of a column are alike
def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe before it makes it a text, and isn't shown.

    Source: https://owasp.org/www-community/attacks/CSV_Injection
    """
    text = cell(text)
    return f"'{text}" if _FORMULA.match(text) else text
