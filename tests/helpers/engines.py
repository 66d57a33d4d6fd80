"""Engines of this machine that some tests need, each named by a variable."""

import os
import shlex


def command(variable: str) -> list[str]:
    """The command that a variable holds. A test that needs it fails without it, and is never skipped."""
    found = shlex.split(os.environ.get(variable, ""))
    assert found, f"set {variable}, as the top of the test's file says"
    return found
