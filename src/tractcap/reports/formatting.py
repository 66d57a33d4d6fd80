"""Pages that are whole in themselves, from templates: how numbers and links are written."""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

_SURROGATES = re.compile("[\ud800-\udfff]")
_STEPS = ("bytes", "KB", "MB", "GB", "TB")


def render(template: str, **values: Any) -> str:
    """The page of a template from ``reports/templates``; a value that it asks for and isn't given is an error."""
    return environment().get_template(template).render(values)


def href(path: str) -> str:
    """The path of a file beside the page as a link, whatever bytes its name has; never one to elsewhere."""
    return quote(path.encode(errors="surrogateescape"))


def whole(value: float) -> str:
    """A number without a fraction: ``12,345``."""
    return f"{value:z,.0f}"


def tenths(value: float) -> str:
    """A number with one digit behind the point: ``1,234.5``."""
    return f"{value:z,.1f}"


def percent(share: float) -> str:
    """A share in percent; what is above none is never shown as none, what is below all never as all."""
    if 0 < share < 0.0005:
        return "less than 0.1 %"
    return "more than 99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"


def volume(cubic_millimetres: float) -> str:
    """A volume in the unit that suits a bundle: ``12.3 cm³``, small ones in ``mm³``."""
    return f"{cubic_millimetres / 1000:,.1f} cm³" if cubic_millimetres >= 1000 else f"{cubic_millimetres:,.0f} mm³"


def size(count: float) -> str:
    """Bytes in the unit that suits their number, as sizes are counted everywhere here: ``1.2 MB``, of 2^20 each."""
    step = 0
    while count >= 999.5 and step < len(_STEPS) - 1:
        count, step = count / 1024, step + 1
    return f"{count:.{0 if step == 0 or count >= 9.95 else 1}f} {_STEPS[step]}"


def shown(value: Any) -> Any:
    """Text as it can be shown: bytes that were no UTF-8 are �, as browsers write them."""
    return type(value)(_SURROGATES.sub("\N{REPLACEMENT CHARACTER}", value)) if isinstance(value, str) else value


def sentence(text: str) -> str:
    """A text with a capital and a stop; empty stays empty."""
    words = text.strip()
    return words and words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")


def plural(count: int, one: str, many: str = "") -> str:
    """``1 bundle``, ``2 bundles``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(words: Iterable[str]) -> str:
    """Words as a list in a sentence: ``left, right and below``."""
    *first, last = words or [""]
    return f"{', '.join(first)} and {last}" if first else last


def span(values: Iterable[float | None]) -> str:
    """One number, or from the least to the greatest: ``0.5 to 1.2``."""
    numbers = sorted({float(f"{value or 0:.3g}") for value in values})
    return f"{numbers[0]:g}" if len(numbers) == 1 else f"{numbers[0]:g} to {numbers[-1]:g}"


def printable(name: str) -> str:
    """A name without characters that can't be printed, such as line breaks: each of them becomes �."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)


def quoted(name: str) -> str:
    """A name in quotation marks."""
    return f"“{printable(name)}”"


@cache
def environment() -> Environment:
    """What renders the templates."""
    environment = Environment(
        loader=PackageLoader("tractcap.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters = (href, whole, tenths, percent, volume, size, plural, listed, span, quoted, printable)
    environment.filters.update({function.__name__: function for function in filters})
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}  # keys stay in their order
    return environment


def read_toml(name: str) -> dict[str, dict[str, Any]]:
    """A table of data in ``reports/``."""
    return tomllib.loads(files("tractcap.reports").joinpath(name).read_text(encoding="utf-8"))
