"""What is written on a terminal, or where it leads to: log lines, a progress bar, and streams that may be closed."""

import io
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


def open_streams() -> None:
    """Give a closed stdin, stdout or stderr somewhere to go, before a file or pipe gets its number.

    What is printed is UTF-8; names of files that are none are printed as they are.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            os.dup2(opened, number)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8"))
    for stream, errors in ((sys.stdout, "surrogateescape"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors)


class _OneLine(logging.Formatter):
    """Keeps a message to one line, whatever the names in it hold."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def log_to_stderr(verbose: int = 0) -> None:
    """Write tractcap's log lines to stderr; from 1 on with details, from 2 on with the memory in use."""
    logging.basicConfig()
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_OneLine("tractcap: %(message)s"))
    logging.getLogger("tractcap").setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.getLogger("tractcap.memory").setLevel(logging.DEBUG if verbose > 1 else logging.INFO)


@contextmanager
def progress(jobs: int) -> Iterator[Callable[[int, float], None]]:
    """Show a bar on a terminal; elsewhere the log's plain lines do.

    Yields
    ------
    callable
        Takes the number of finished jobs, and the share of the work that is done.
    """
    if not sys.stderr.isatty():
        yield lambda _finished, _share: None
        return
    thousandths = 1000

    def shown(finished: int | None) -> str:
        return f"{finished or 0} of {jobs} drawn"

    with click.progressbar(length=thousandths, file=sys.stderr, item_show_func=shown) as bar:

        class Handler(logging.StreamHandler):  # type: ignore[type-arg]
            """Lets log lines appear above the bar instead of within it."""

            def emit(self, record: logging.LogRecord) -> None:
                click.echo("\r\033[K", nl=False, err=True)
                super().emit(record)
                bar.render_progress()

        root, handler = logging.getLogger(), Handler()
        before = root.handlers[:]
        handler.setFormatter(before[0].formatter if before else None)
        root.handlers = [handler]
        try:
            yield lambda finished, share: bar.update(int(share * thousandths) - bar.pos, finished)
        finally:
            root.handlers = before
