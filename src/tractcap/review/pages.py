"""The files of an output that are served: pages at its top, and what they show and link to, wherever links lead."""

import html
import json
import os
import re
import stat
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

HTML = "text/html; charset=utf-8"

_TYPES = {
    ".html": HTML,
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".json": "application/json",
    ".tsv": "text/tab-separated-values; charset=utf-8",
}

_SCRIPTS = re.compile("group_rows_[0-9a-f]+/[a-z]+-[0-9]+[.]js")
"""Rows that are too many for the group's page, which it loads from beside it; no other scripts are served."""

_NOT_SERVED = b'<script type="application/json" id="served">null</script>'
"""Where a participant's page is told that it is served."""

_NO_CONNECTION = b"default-src 'none';"


def content_type(path: str) -> str:
    """The type of a file by its name; empty where such files aren't served."""
    return _TYPES.get(Path(path).suffix, "")


def open_file(output: Path, path: str) -> BinaryIO:
    """Open a file to serve it.

    Parameters
    ----------
    output : pathlib.Path
        The folder, without links in its path.
    path : str
        Below it, as the address has it.

    Raises
    ------
    FileNotFoundError
        When there is no such file, or it isn't served: hidden, of another type, or outside of the output.
    """
    parts = path.split("/")
    hidden = any(part[:1] in ("", ".") for part in parts)
    misplaced = (path.endswith(".html") and len(parts) > 1) or (path.endswith(".js") and not _SCRIPTS.fullmatch(path))
    if hidden or misplaced or not content_type(path):
        raise FileNotFoundError(path)
    try:
        handle = os.open(output / path, os.O_RDONLY | os.O_NONBLOCK)
    except (OSError, ValueError):
        raise FileNotFoundError(path) from None
    place = Path(f"/proc/self/fd/{handle}").readlink()  # of what was opened, whatever lies at the path by now
    if not stat.S_ISREG(os.fstat(handle).st_mode) or not place.is_relative_to(output):
        os.close(handle)
        raise FileNotFoundError(path)
    return os.fdopen(handle, "rb")


def served(page: bytes, place: str) -> bytes | None:
    """A page that knows that it is served; it may connect to its server, and to nothing else.

    Parameters
    ----------
    page : bytes
        As it is on the disk.
    place : str
        What tells this output from others that are served at the same address.

    Returns
    -------
    bytes or None
        None for a participant's page of an earlier version, which could save nothing.
    """
    if _NOT_SERVED not in page:
        return None if b'<body class="participant">' in page else page
    told = json.dumps({"place": place}).encode()
    page = page.replace(_NOT_SERVED, _NOT_SERVED.replace(b"null", told), 1)
    return page.replace(_NO_CONNECTION, _NO_CONNECTION + b" connect-src 'self';", 1)


def contents(output: Path) -> str:
    """A page with links to the pages of an output, the group's first."""
    names = sorted((path.name for path in output.glob("[!.]*.html")), key=lambda name: (name != "group.html", name))
    links = (
        f'<li><a href="{quote(os.fsencode(name))}">{html.escape(os.fsencode(name[:-5]).decode(errors="replace"))}</a>'
        for name in names
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Pages – tractcap</title>'
        '<meta name="viewport" content="width=device-width"><style>:root { color-scheme: light dark; } '
        "body { font: 16px/1.7 system-ui, sans-serif; margin: 2em; background: Canvas; color: CanvasText; }</style>"
        f"<main><h1>Pages</h1><ul>{''.join(links)}</ul></main></html>"
    )
