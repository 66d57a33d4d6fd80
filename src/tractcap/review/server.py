"""The server of ``tractcap OUTPUT review``: shows pages and pictures, and saves ratings before it says so."""

import hashlib
import http.client
import io
import json
import logging
import os
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

from tractcap.errors import NothingToDrawError, RecordError, SettingsError, defect
from tractcap.interrupts import Interrupted
from tractcap.review import pages
from tractcap.review.access import Access, RefusedError
from tractcap.review.saved_ratings import FOLDER, SavedFile, SavedRatings

log = logging.getLogger("tractcap")

MAX_BODY = 2**20
"""Bytes of ratings that are taken at once; the page sends less."""

_SECONDS = 20.0
"""How long a request may take to arrive, and each piece of an answer to be taken."""

_MOST_AT_ONCE = 64

_MOST_HEAD = 2**17
"""Bytes of a request's first line and headers: browsers send the cookies of every port of this machine."""

_PIECE = 2**16
"""Bytes that are sent at once."""

_RATINGS = "/ratings"
"""What follows a page's address in that of its ratings."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def serve(output: Path, address: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve an output folder until a signal asks to stop; ratings that are being saved then are saved.

    Parameters
    ----------
    output : pathlib.Path
        The folder with the pages.
    address : str
        The one to listen at: this machine's own, or all of a container's.
    port : int
        0 for any that is free.
    ready : callable
        Takes the address to open, with the secret in it, once it is served.

    Raises
    ------
    NothingToDrawError
        When the folder has no pages.
    SettingsError
        When there is no such folder, or the port is taken.
    """
    if not output.is_dir():
        raise SettingsError(f"{output} is no folder: give the one that holds the pages.")
    if not next(output.glob("*.html"), None):
        raise NothingToDrawError(f"{output} holds no pages yet: run the participant level first.")
    try:
        server = _Server((address, port), output.resolve())
    except OSError as error:
        why = error.strerror or error
        raise SettingsError(f"port {port} can't be served ({why}): give another one by --port.") from None
    with server:
        try:
            ready(server.access.address(server.server_port))
            server.serve_forever()
        except Interrupted:
            server.saving.acquire(timeout=_SECONDS)


class _Server(ThreadingHTTPServer):
    """Answers so many requests at once; ``saving`` is held while ratings are saved."""

    def __init__(self, address: tuple[str, int], output: Path) -> None:
        super().__init__(address, _Handler)
        self.output, self.ratings, self.access = output, SavedRatings(output), Access()
        # pages of two outputs have one address: what a browser keeps of them mustn't be mixed up
        self.place = hashlib.sha256(f"{output} {output.stat().st_ino}".encode(errors="replace")).hexdigest()[:16]
        self.saving = threading.Lock()
        self._warned = ""
        self._free = threading.BoundedSemaphore(_MOST_AT_ONCE)

    def warn(self, sentence: str) -> None:
        """Log what went wrong, unless it did so before: a page tries again every two seconds."""
        if sentence != self._warned:
            log.warning("%s", sentence)
        self._warned = sentence

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  as socketserver calls it
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and not isinstance(error, OSError):  # those are of clients that went away
            log.error("a request failed: %s", defect(error))


class _Arriving(io.RawIOBase):
    """A request's bytes while its time lasts: a client that sends one now and then doesn't hold its place.

    ``allowed`` is how many more may come, since whoever reaches the port may send them.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._end, self.allowed = connection, time.monotonic() + _SECONDS, _MOST_HEAD

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.allowed:
            raise http.client.LineTooLong("head")  # which is answered, as headers are being read
        self._connection.settimeout(max(0.001, self._end - time.monotonic()))
        count = self._connection.recv_into(memoryview(buffer)[: self.allowed])
        self.allowed -= count
        return count


class _Handler(BaseHTTPRequestHandler):
    """Answers a request, the only one of its connection."""

    server: _Server

    def setup(self) -> None:
        super().setup()
        self._arriving = _Arriving(self.connection)
        self.rfile = io.BufferedReader(self._arriving)

    def version_string(self) -> str:
        return "tractcap"

    def log_message(self, *_arguments: Any) -> None:
        """Keep still: the first address has the secret in it."""

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_PUT(self) -> None:
        self._answer(self._put)

    def _answer(self, answer: Callable[[str], None]) -> None:
        try:
            path, _, query = self.path.partition("?")
            cookie = self.server.access.check(self.headers, query, writes=self.command != "GET")
            if cookie:  # led on from here, not by the status: where another site led here, the cookie wouldn't be sent
                page = b'<meta http-equiv="refresh" content="0; url=/">'
                self._say(HTTPStatus.OK, pages.HTML, page, {"Set-Cookie": cookie})
            else:
                answer(unquote(path, errors="surrogateescape").removeprefix("/"))
        except RefusedError as error:
            self._say(error.status, "text/plain; charset=utf-8", f"{error}\n".encode(errors="replace"))
        except FileNotFoundError:
            self._say(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"There is no such page or picture.\n")

    def _get(self, path: str) -> None:
        output = self.server.output
        if not path:
            self._say(HTTPStatus.OK, pages.HTML, pages.contents(output).encode())
        elif path.endswith(_RATINGS):
            name = self._page(path)
            try:
                found = self.server.ratings.of(name)
            except OSError as error:
                why = f"The folder {FOLDER} can’t be read ({error.strerror})."
                raise RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR, why) from None
            self._send_ratings(found)
        elif path.endswith(".html"):
            self._send_page(path)
        else:
            with pages.open_file(output, path) as file:
                self._send_file(pages.content_type(path), file)

    def _put(self, path: str) -> None:
        page, length = self._page(path), self.headers.get("Content-Length", "")
        if self.headers.get_content_type() != "text/tab-separated-values":
            raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Ratings are sent as tab-separated values.")
        if not re.fullmatch("[0-9]{1,9}", length) or int(length) > MAX_BODY:
            why = f"No more than {MAX_BODY:,} bytes of ratings are saved at once: shorten the note."
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, why)
        self._arriving.allowed += int(length)
        text = self.rfile.read(int(length))
        if len(text) < int(length):
            raise RefusedError(HTTPStatus.BAD_REQUEST, "The ratings didn’t arrive whole.")
        try:
            with self.server.saving:
                saved = self.server.ratings.save(page, text.decode())
        except ValueError as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"The ratings can’t be understood: {error}.") from None
        except RecordError as error:
            raise RefusedError(HTTPStatus.CONFLICT, str(error)) from None
        except OSError as error:
            why = f"The folder {FOLDER} can’t be written ({error.strerror})."
            self.server.warn(why)
            raise RefusedError(HTTPStatus.INSUFFICIENT_STORAGE, why) from None
        self._send_ratings(saved)

    def _page(self, path: str) -> str:
        """The page that ratings belong to, which must be there."""
        page = path.removesuffix(_RATINGS)
        if not (path.endswith(_RATINGS) and page.endswith(".html")):
            raise FileNotFoundError(path)
        pages.open_file(self.server.output, page).close()
        return page

    def _send_page(self, path: str) -> None:
        with pages.open_file(self.server.output, path) as file:
            page = pages.served(file.read(), self.server.place)
        if page is None:
            why = "This page is of an earlier version, which can’t save here: run the participant level again."
            raise RefusedError(HTTPStatus.CONFLICT, why)
        self._say(HTTPStatus.OK, pages.HTML, page)

    def _send_ratings(self, found: list[SavedFile]) -> None:
        told = {"files": [asdict(file) for file in found], "readOnly": self.server.ratings.read_only()}
        self._say(HTTPStatus.OK, "application/json", json.dumps(told).encode())

    def _send_file(self, kind: str, file: BinaryIO) -> None:
        """Send a file, or the part of it that is asked for: Safari plays no film otherwise."""
        size = os.fstat(file.fileno()).st_size
        asked = re.fullmatch("bytes=([0-9]{1,15})-([0-9]{0,15})", self.headers.get("Range", ""))
        first, last = (int(asked[1]), min(int(asked[2] or size), size - 1)) if asked else (0, -1)
        if first > last:
            self._send(HTTPStatus.OK, kind, file, size)
        else:
            file.seek(first)
            part = {"Content-Range": f"bytes {first}-{last}/{size}"}
            self._send(HTTPStatus.PARTIAL_CONTENT, kind, file, last - first + 1, part)

    def _say(self, status: HTTPStatus, kind: str, text: bytes, more: Mapping[str, str] | None = None) -> None:
        self._send(status, kind, io.BytesIO(text), len(text), more)

    def _send(
        self, status: HTTPStatus, kind: str, body: BinaryIO, size: int, more: Mapping[str, str] | None = None
    ) -> None:
        self.connection.settimeout(_SECONDS)
        self.send_response(status)
        for name, value in {**_HEADERS, **(more or {}), "Content-Type": kind, "Content-Length": str(size)}.items():
            self.send_header(name, value)
        self.end_headers()
        while piece := body.read(min(size, _PIECE)):
            self.wfile.write(piece)
            size -= len(piece)
