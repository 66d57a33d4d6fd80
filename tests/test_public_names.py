"""What ``import tractcap`` offers, and that it loads none of it before it is used."""

import subprocess
import sys

import pytest

import tractcap

NAMES = {
    "__version__",
    "TractographyVisualizer",
    "Overlay",
    "Result",
    "check_memory_available",
    "get_n_jobs_with_memory_limit",
    "TractcapError",
    "InputError",
    "MissingError",
    "DamagedError",
    "EmptyError",
    "RecordError",
    "DrawingError",
    "SettingsError",
    "NothingToDrawError",
    "CapTooSmallError",
}


def test_the_public_names_are_there() -> None:
    assert set(tractcap.__all__) == set(dir(tractcap)) == NAMES
    assert all(getattr(tractcap, name) for name in NAMES)
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = tractcap.Nothing


def test_they_are_described() -> None:
    assert all(getattr(tractcap, name).__doc__ for name in NAMES)


def test_nothing_else_is_imported_before_they_are_used() -> None:
    code = "import sys, tractcap; print(sorted(name for name in sys.modules if name.startswith('tractcap.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['tractcap.version']\n"
