"""Progress on stderr: a bar on a terminal; elsewhere the log's plain lines do."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

Tell = Callable[[int, float], None]


@contextmanager
def progress(jobs: int) -> Iterator[Tell]:
    """Yield what a run calls with the number of finished jobs and the share of the work that is done."""
    if not sys.stderr.isatty():
        yield _silent
        return
    thousandths = 1000
    with click.progressbar(length=thousandths, file=sys.stderr, item_show_func=_shown(jobs)) as bar, _above(bar):
        yield lambda finished, share: bar.update(int(share * thousandths) - bar.pos, finished)


def _silent(_finished: int, _share: float) -> None:
    """Say nothing."""


def _shown(jobs: int) -> Callable[[Any], str]:
    return lambda finished: f"{finished or 0} of {jobs} drawn"


@contextmanager
def _above(bar: Any) -> Iterator[None]:
    """Let log lines appear above the bar instead of within it."""

    class Handler(logging.StreamHandler):  # type: ignore[type-arg]
        def emit(self, record: logging.LogRecord) -> None:
            click.echo("\r\033[K", nl=False, err=True)
            super().emit(record)
            bar.render_progress()

    root, handler = logging.getLogger(), Handler()
    before = root.handlers[:]
    handler.setFormatter(before[0].formatter if before else None)
    root.handlers = [handler]
    try:
        yield
    finally:
        root.handlers = before
