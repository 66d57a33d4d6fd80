"""Memory sizes as people write them."""

import re

from tractcap.errors import SettingsError

MB = 2**20
"""One MB in the interface, in bytes: 2^20, as the tools of the field count."""

_UNITS = {"": MB, "K": 2**10, "M": MB, "G": 2**30, "T": 2**40}
_SIZE = re.compile(r"([0-9]{1,15})\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)


def parse_size(text: str, source: str) -> int:
    """Read a size such as ``2048`` (MB), ``512M`` or ``4G``.

    Parameters
    ----------
    text : the size; a bare number counts MB.
    source : the option or variable it came from, for the error's sentence.

    Returns
    -------
    The size in bytes, above zero.

    Raises
    ------
    SettingsError
        When the text is empty, not a whole number with an optional K, M, G or T, or zero.
    """
    text = text.strip()
    if not text:
        raise SettingsError(f"{source} is empty: give a size such as 2048 (MB), 512M or 4G, or leave it unset.")
    match = _SIZE.fullmatch(text)
    if match is None:
        raise SettingsError(
            f"{source} is {text!r}, which is not a size: give a whole number of MB, or one such as 512M or 4G."
        )
    size = int(match[1]) * _UNITS[match[2].upper()]
    if size == 0:
        raise SettingsError(f"{source} is {text!r}: a cap of nothing leaves nothing to draw with; give at least 256.")
    return size


def as_mb(size: float) -> int:
    """The size in whole MB, rounded to the nearest."""
    return round(size / MB)
