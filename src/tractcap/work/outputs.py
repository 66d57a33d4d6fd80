"""The output folder."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tractcap import __version__
from tractcap.errors import SettingsError
from tractcap.files import write_text
from tractcap.inputs import demo


def check_output(output: Path) -> None:
    """Make the output folder and see that files can be written there.

    Raises
    ------
    SettingsError
    """
    probe = output / f".tractcap-{os.getpid()}"
    try:
        output.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SettingsError(
            f"the output folder {output} can't be written ({error.strerror}): "
            f"give one that user {os.getuid()} may write to."
        ) from error


def describe_dataset(output: Path) -> None:
    """Mark the output as a BIDS derivative."""
    about = {
        "Name": "tractcap: pictures of tractograms",
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "tractcap", "Version": __version__}],
    }
    write_text(output / "dataset_description.json", json.dumps(about, indent=2) + "\n")


@contextmanager
def workplace(parent: Path, asked: Path) -> Iterator[Path]:
    """Yield the input: what was asked for, or for the word ``demo`` a temporary folder with the demo's bundles.

    The folder is made below ``parent`` and not in the system's, which may be memory.
    """
    if str(asked) != demo.WORD:
        yield asked
        return
    folder = Path(tempfile.mkdtemp(prefix=".tractcap-", dir=parent if parent.is_dir() else None))
    try:
        yield demo.unpack(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
