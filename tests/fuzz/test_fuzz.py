"""The fuzzer finds what must not be, and finds nothing in what is as it must be."""

import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).with_name("fuzz.py")


def fuzz(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(FUZZ), "--seconds", "1", "--patience", "1", "--keep", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("raise", "KeyError in line"),
        ("wait", "no end within 1 s"),
        ("die", "died of signal 6"),
        ("grow", "MemoryError in line"),
        ("blame_another", "a sentence: another file is damaged."),
    ],
)
def test_what_must_not_be_is_found_and_kept(tmp_path: Path, target: str, words: str) -> None:
    done = fuzz(tmp_path, target)
    assert done.returncode == 1, done.stderr
    assert words in done.stdout
    assert list(tmp_path.glob("*-a.odd"))


@pytest.mark.parametrize("target", ["tsf", "filters", "rules"])
def test_a_reader_that_is_as_it_must_be(tmp_path: Path, target: str) -> None:
    done = fuzz(tmp_path / "none", target)
    assert done.returncode == 0, done.stdout + done.stderr
    read, refused = (int(done.stdout.split(word)[0].split()[-1].replace(",", "")) for word in (" read", " refused"))
    assert read > 1
    assert refused > 1
    assert not (tmp_path / "none").exists()
