"""How our own Python is started: as shut off from the host's as this process is, and with UTF-8 for all text."""

import os
import sys

_FLAGS = {
    "isolated": "-I",
    "ignore_environment": "-E",
    "no_user_site": "-s",
    "safe_path": "-P",
    "dont_write_bytecode": "-B",
}
"""What a process was started with, by the names in ``sys.flags``, and must be handed on."""


def command() -> list[str]:
    """The beginning of a command line that starts another Python process like this.

    It takes text for UTF-8 whatever the locale, unless this process takes names of files for something else: both must
    mean the same file.
    """
    flags = [flag for name, flag in _FLAGS.items() if getattr(sys.flags, name)]
    return [sys.executable, *flags, "-X", f"utf8={int(_is_utf8())}"]


def take_utf8() -> None:
    """Start this program anew in its place, with UTF-8 for all text, where the locale has something else."""
    if not _is_utf8():
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606  ourselves


def _is_utf8() -> bool:
    return sys.getfilesystemencoding() == "utf-8"
