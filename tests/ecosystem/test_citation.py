"""How tractcap wants to be cited, as other programs read it."""

import json
import subprocess
from collections.abc import Callable

import pytest

from tractcap import __version__

pytestmark = pytest.mark.ecosystem


def test_the_citation_is_valid_and_of_this_version(call: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    found = call("cffconvert", "--validate")
    assert found.returncode == 0, found.stdout + found.stderr
    told = json.loads(call("cffconvert", "--format", "zenodo").stdout)
    assert told["version"] == __version__
    assert told["creators"]
    assert told["license"]["id"] == "MIT"
