"""Links of all texts in Markdown lead somewhere, seen from the file itself, as a repository shows it.

Headings are looked for by ``make docs``, for the pages of the site.
"""

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[1]
LISTED = subprocess.run(["git", "ls-files", "-z", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
TEXTS = LISTED.rstrip("\0").split("\0")
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
TARGET = re.compile(r"\]\(((?:[^()]|\([^()]*\))*)\)")


def astray(text: str, folder: Path) -> list[str]:
    """What links lead to that isn't there, or is no address."""
    targets = TARGET.findall(CODE.sub("", text))
    return [target for target in targets if not _leads_somewhere(target, folder)]


def _leads_somewhere(target: str, folder: Path) -> bool:
    parts = urlsplit(target)
    if re.search(r"\s", target) or not target:
        return False
    if parts.scheme or parts.netloc:
        return parts.scheme == "https" and re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", parts.netloc) is not None
    return (folder / unquote(parts.path)).exists()


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name: str) -> None:
    assert astray((ROOT / name).read_text(encoding="utf-8"), (ROOT / name).parent) == []


@pytest.mark.parametrize(
    ("link", "right"),
    [
        ("[a](README.md#use-it)", True),
        ("[a](#below)", True),
        ("[a](docs)", True),
        ("[a](https://example.org/x_(y)?z=1#w)", True),
        ("`[a](b)`", True),
        ("[a](docs/no.md)", False),
        ("[a](index.md)", False),
        ("![a](docs/pictures/no.png)", False),
        ("[a](http://example.org)", False),
        ("[a](https//example.org)", False),
        ("[a](https://example)", False),
        ("[a](docs/rating.md #reasons)", False),
        ("[a]()", False),
    ],
)
def test_what_leads_nowhere_is_found(link: str, right: bool) -> None:
    assert (astray(f"See {link}.", ROOT) == []) == right
