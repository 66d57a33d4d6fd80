"""The output folder."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tractcap.errors import SettingsError
from tractcap.inputs import demo
from tractcap.limits.usage import in_memory

log = logging.getLogger("tractcap")


def check_output(output: Path) -> None:
    """Make the output folder and see that files can be written there.

    Raises
    ------
    SettingsError
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output) as probe:  # has no name that a death could leave
            probe.write(b"tractcap")
    except OSError as error:
        raise SettingsError(
            f"the output folder {output} can't be written ({error.strerror}): "
            f"give one that user {os.getuid()} may write to."
        ) from error
    if in_memory(output):
        log.warning("the output folder %s is on tmpfs: its files are memory, and count against the limit", output)


@contextmanager
def workplace(parent: Path, asked: Path) -> Iterator[Path]:
    """Yield the input: what was asked for, or for the word ``demo`` a temporary folder with the demo's bundles.

    The folder is made below ``parent`` and not in the system's, which may be memory. Its name is always the same: a
    run that was killed leaves one, and the next takes it over.
    """
    if str(asked) != demo.WORD:
        yield asked
        return
    folder = (parent if parent.is_dir() else Path(tempfile.gettempdir())) / ".tractcap-demo"
    try:
        yield demo.unpack(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
