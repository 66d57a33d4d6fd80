"""JSON files of checks, as a run writes them."""

import json
from pathlib import Path
from typing import Any

from outputs import Output

from tractcap.checks import checks
from tractcap.records.check_sidecar import place
from tractcap.records.sidecar_fields import Identity
from tractcap.records.worker_requests import SourceState
from tractcap.work import run_checks

FLAG = {"Name": "few streamlines support each other", "Measure": "Retention", "Value": 0.15, "Below": 0.2}


def tell(output: Output, stem: str, name: str, status: str = "done", **more: Any) -> Path:
    """A check's JSON file as a run writes it."""
    about = json.loads((output.root / f"sub-01/figures/{stem}.json").read_text())
    (file,), (size,), (modified,) = (about[key] for key in ("Sources", "SourceBytes", "SourceModified"))
    whose = {one: about[one] for one in ("Kind", "Status", "Participant", "Session", "Title", "Bundle")}
    source = SourceState(file, size, modified)
    told = run_checks.new_record(checks()[name], Identity.parse(whose), source, {}).plain()
    told |= {"Status": status, "Why": more.pop("why", "")}
    about_all = run_checks.about_measures(checks()[name], more.get("Measures", {}), ["FA"])
    told |= {"About": {key: one.plain() for key, one in about_all.items()}}
    at = place(output.root / "sub-01/figures", stem, name)
    at.write_text(json.dumps(told | more))
    return at
