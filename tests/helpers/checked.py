"""JSON files of checks, as a run writes them."""

import json
from pathlib import Path
from typing import Any

from outputs import Output

from tractcap.checks import checks
from tractcap.records.check import place
from tractcap.work import check_record as written

FLAG = {"Name": "few streamlines support each other", "Measure": "Retention", "Value": 0.15, "Below": 0.2}


def tell(output: Output, stem: str, name: str, status: str = "done", **more: Any) -> Path:
    """A check's JSON file as a run writes it."""
    about = json.loads((output.root / f"sub-01/figures/{stem}.json").read_text())
    (file,), (size,), (modified,) = (about[key] for key in ("Sources", "SourceBytes", "SourceModified"))
    source = {"name": file, "bytes": size, "modified": modified}
    kept = {one: about[one] for one in ("Participant", "Session", "Title", "Bundle")}
    told = written.record(checks()[name], kept, source, {}, status, more.pop("why", "")).plain()
    about_all = written.about_measures(checks()[name], more.get("Measures", {}), ["FA"])
    told |= {"About": {key: one.plain() for key, one in about_all.items()}}
    at = place(output.root / "sub-01/figures", stem, name)
    at.write_text(json.dumps(told | more))
    return at
