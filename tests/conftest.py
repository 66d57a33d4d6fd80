"""How failures are told, and which tests begin first."""

import pytest
from left_files import differences


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Files by name: those that differ, instead of all bytes of all of them."""
    if op != "==" or not (isinstance(left, dict) and isinstance(right, dict)):
        return None
    if not all(isinstance(content, bytes) for content in (*left.values(), *right.values())):
        return None
    return ["the same files", *differences(left, right)]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those of what hangs wait for up to two minutes, and begin first: others are run meanwhile."""
    items.sort(key=lambda item: "[hang" not in item.name)
