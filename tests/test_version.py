"""The version has one place, ``src/tractcap/version.py``: wherever else it stands, it is the same."""

import re
import subprocess
import sys
from pathlib import Path

from tractcap import __version__

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts/set_version.py"
OLD, NEW = (re.compile(re.escape(version).replace(r"\.", "[.-]")) for version in (__version__, "23.4.5rc6"))
NAMING = {
    "CITATION.cff": f"version: {__version__}\n",
    "Dockerfile": f'image.version="{__version__}"',
    "apptainer.def": f"TRACTCAP_CONTAINER_TAG=tractcap:{__version__}\n",
    "integrations/boutiques/tractcap.json": f'"tool-version": "{__version__}"',
    "src/tractcap/version.py": f'__version__ = "{__version__}"',
}


def set_version(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call a copy of the script on a tree with copies of all files that git tracks, but for tests and pictures."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.rstrip("\0").split("\0"):
        if not name.startswith(("tests/", "docs/")) and (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes((ROOT / name).read_bytes())
    for command in (["git", "init", "-q"], ["git", "add", "-A"]):
        subprocess.run(command, cwd=tree, check=True)
    script = tree / SCRIPT.relative_to(ROOT)
    return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=False)


def changed(tree: Path) -> dict[str, str]:
    """Files of a tree that the script changed, and what they hold now."""
    command = ["git", "diff", "--name-only"]
    names = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True).stdout.split()
    return {name: (tree / name).read_text() for name in names}


def test_each_file_has_this_version(tmp_path: Path) -> None:
    for name, line in NAMING.items():
        assert line in (ROOT / name).read_text(), f"{name}: make version renews it"
    assert set_version(tmp_path).returncode == 0
    assert not changed(tmp_path), "make version renews them"


def test_another_version_is_written_everywhere(tmp_path: Path) -> None:
    assert set_version(tmp_path, "23.4.5rc6").returncode == 0
    files = changed(tmp_path)
    assert NAMING.keys() | {"integrations/babs/README.md", "integrations/neurodesk/build.yaml"} <= files.keys()
    assert [name for name, text in files.items() if OLD.search(text) or not NEW.search(text)] == []


def test_what_is_no_version_is_refused(tmp_path: Path) -> None:
    done = set_version(tmp_path, "v2")
    assert done.returncode == 1
    assert "v2 is no version: give one such as 1.0.0" in done.stderr
    assert not changed(tmp_path)


def test_the_changelog_begins_with_this_version() -> None:
    sections = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert sections[0] == __version__
