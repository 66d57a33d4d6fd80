"""Real bundles to try tractcap on: three bundles of five people, which come with dipy (BSD licence)."""

import importlib.util
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from tractcap.errors import SettingsError

WORD = "demo"
"""The word for them in place of an input; a folder of that name is ``./demo``."""

_ARCHIVE = "data/files/minimal_bundles.zip"


def unpack(folder: Path) -> Path:
    """Unpack the demo's bundles into ``folder``, a folder for each person, and return the input to draw.

    Raises
    ------
    SettingsError
        When dipy isn't installed with its data.
    """
    spec = importlib.util.find_spec("dipy")
    archive = Path(spec.origin).parent / _ARCHIVE if spec and spec.origin else None
    if archive is None or not archive.is_file():
        raise SettingsError("the demo's bundles come with dipy, which isn't installed here: pip install dipy.")
    with zipfile.ZipFile(archive) as bundles:
        for member in bundles.infolist():
            if member.filename.endswith(".trk"):
                person, bundle = Path(member.filename).parts[-2:]
                target = folder / person.replace("_", "-") / bundle
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(bundles.read(member))
                then = datetime(*member.date_time, tzinfo=UTC).timestamp()  # the same each time: what is drawn is kept
                os.utime(target, (then, then))
    return folder
