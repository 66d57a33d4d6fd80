"""The watch over memory while a run goes on: limits are read again, use is measured at the same level as each limit."""

import contextlib
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from tractcap.errors import SettingsError
from tractcap.limits import usage
from tractcap.limits.budget import MACHINE, Budget
from tractcap.limits.cgroup import Limit
from tractcap.limits.sizes import MB, as_mb
from tractcap.limits.usage import private_memory

log = logging.getLogger("tractcap")

SUPERVISOR = 32 * MB
"""What the supervisor's own process takes, with room for its lists of jobs."""

_NEAR = 0.04
_NEAR_LEAST = 8 * MB
_SETTLE_SECONDS = 1.0
"""How often limits are read again; use is measured at each call."""


_STALLED = 0.05
"""The share of time from which on tasks that stand still for want of memory count as stalled; see docs/memory.md."""

_STALL_SECONDS = 2.0
"""Over how long that share is taken."""


@dataclass(frozen=True)
class Stall:
    """The ``share`` of the last seconds in which tasks stood still for want of memory, and the file that says so."""

    share: float
    where: str


@dataclass(frozen=True)
class Left:
    """The bytes that are left under the limit that leaves least, and that limit."""

    bytes: int
    limit: Limit


class Watch:
    """What may be used, what is used, and what is left.

    Parameters
    ----------
    settle : callable
        Settles the budget anew, from limits that may have changed.
    budget : Budget
        As it was settled first.
    margin : float
        The share of the budget that is left unplanned.
    root : pathlib.Path
        The folder that holds the machine's ``proc``.
    """

    def __init__(self, settle: Callable[[], Budget], budget: Budget, margin: float, root: Path = Path("/")) -> None:
        self.budget, self.margin = budget, margin
        self._settle, self._root, self._settled = settle, root, time.monotonic()
        self._highest, self._logged = 0, {budget.bytes}
        self._kills = self._oom_kills()
        self._pressed, self._stood, self._stall = time.monotonic(), self._stalled_microseconds(), 0.0
        self.stalled_seconds = 0.0

    def room(self, workers: Collection[int] = ()) -> int:
        """Bytes that workers may take in all, now: the margin, the supervisor and all others in the limit taken off.

        Parameters
        ----------
        workers : collection of int
            Process ids of the workers that run. What they hold is theirs already.
        """
        own, held = private_memory(), sum(map(private_memory, workers))
        reserve = max(0, SUPERVISOR - own) + int(self.margin * self._current().bytes)
        return max(0, self._left(own + held).bytes + held - reserve)

    def left(self, workers: Collection[int] = ()) -> Left:
        """What is left before a limit is reached, the least of all limits."""
        return self._left(private_memory() + sum(map(private_memory, workers)))

    def near(self, workers: Collection[int] = ()) -> Left | None:
        """What is left, if that is so little that the kernel may soon choose a process to kill; else None."""
        left = self.left(workers)
        return left if left.bytes < max(_NEAR_LEAST, _NEAR * left.limit.bytes) else None

    def stalled(self) -> Stall | None:
        """Whether tasks stand still for want of memory, as the own group of version 2 or else the machine counts it."""
        now = time.monotonic()
        if (seconds := now - self._pressed) >= _STALL_SECONDS:
            before, self._stood = self._stood, self._stalled_microseconds()
            self._pressed, self._stall = now, 0.0
            if before and self._stood and before[0] == self._stood[0]:
                self._stall = (self._stood[1] - before[1]) / 1e6 / seconds
            if self._stall >= _STALLED:
                self.stalled_seconds += seconds
        return Stall(self._stall, self._stood[0]) if self._stood and self._stall >= _STALLED else None

    def peak(self) -> tuple[int, str]:
        """The highest use in bytes, and whose figure it is: the control group's own where it keeps one."""
        if (group := self.budget.bound_by.group) and (peak := usage.group_peak(group)):
            return peak, "the control group's own figure, pages of files included"
        return self._highest, "supervisor and workers together, as they were seen"

    def oom_killed(self) -> bool | None:
        """Whether the kernel has killed for want of memory since the last call; None where it doesn't count."""
        before, self._kills = self._kills, self._oom_kills()
        counted = before.keys() & self._kills.keys()
        return any(self._kills[group] > before[group] for group in counted) if counted else None

    def _left(self, held: int) -> Left:
        """What is left under each limit, the least, where supervisor and workers hold so many bytes."""
        budget = self._current()
        self._highest = max(self._highest, held)

        def under(limit: Limit) -> int:
            if limit.group and (used := usage.group_memory(limit.group)) is not None:
                return limit.bytes - used
            if limit.where == MACHINE and (available := usage.machine_available(self._root)) is not None:
                return min(limit.bytes, available)  # in some containers that is a huge number
            return limit.bytes - held

        return min((Left(under(limit), limit) for limit in budget.limits), key=lambda left: left.bytes)

    def _current(self) -> Budget:
        if time.monotonic() - self._settled >= _SETTLE_SECONDS:
            self._settled, before = time.monotonic(), self.budget
            with contextlib.suppress(SettingsError):  # no limit can be found any more: the last one counts
                self.budget = self._settle()
            if self.budget.bytes not in self._logged:  # a limit that goes to and fro is said once
                self._logged.add(self.budget.bytes)
                log.warning(
                    "the memory limit changed: %s MB before, now %s", as_mb(before.bytes), self.budget.describe()
                )
        return self.budget

    def _stalled_microseconds(self) -> tuple[str, int] | None:
        """What counts how long tasks stood still, and how long; the machine only where no group counts."""
        for group in (*self.budget.groups, None):
            if (stood := usage.stalled_microseconds(group, self._root)) is not None:
                return str(group / "memory.pressure" if group else "/proc/pressure/memory"), stood
        return None

    def _oom_kills(self) -> dict[Path, int]:
        """Of each group, the process's own and those above: version 1 doesn't count in all of them."""
        counts = {group: usage.oom_kills(group) for group in self.budget.groups}
        return {group: count for group, count in counts.items() if count is not None}
