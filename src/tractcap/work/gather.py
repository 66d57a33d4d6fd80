"""The group level: what participants' runs have left in the output becomes a page and a table."""

from pathlib import Path

from tractcap.errors import NothingToDrawError, TractcapError
from tractcap.limits import MB, Watch
from tractcap.work import plan
from tractcap.work.pool import Task
from tractcap.work.prepare import alone

NEED = plan.BASE + 256 * MB
"""Of 25,000 tractograms' numbers, and the page that is made of them."""


def gather(output: Path, watch: Watch) -> list[Path]:
    """Write the group's page and tables; returns their paths.

    Raises
    ------
    NothingToDrawError, TractcapError
    """
    need = min(NEED, max(plan.BASE, watch.room()))
    done, why = alone(Task("group", {"output": str(output)}, need), watch)
    if done is None:
        raise TractcapError(f"the group's page can't be made: {why}")
    if not done["paths"]:
        raise NothingToDrawError(f"{output} holds nothing of a participant's yet: run the participant level first.")
    return [output / path for path in done["paths"]]
