"""The methods text as ``CITATION.md``, ``.tex`` and ``.bib``, as fMRIPrep leaves its own, but for each participant."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tractcap.files import write_text
from tractcap.records.check_sidecar import CheckRecord
from tractcap.records.tractogram_sidecar import TractogramRecord
from tractcap.reports.methods import Reference, methods_text
from tractcap.reports.picture_sets import FIGURES

_SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--"} | {
    character: f"\\{character}" for character in "&%$#_{}"
}
"""Characters that LaTeX takes for something else, and how they are written."""

_DOCUMENT = r"""\documentclass{{article}}
\usepackage[utf8]{{inputenc}}
\usepackage{{natbib}}
\begin{{document}}
{text}

\bibliographystyle{{plainnat}}
\bibliography{{CITATION}}
\end{{document}}
"""


def write_citations(
    output: Path, participant: str, records: Sequence[TractogramRecord], checks: Iterable[CheckRecord]
) -> None:
    """Write the methods text of a participant's records in Markdown and LaTeX, and what it cites.

    Where nothing was drawn, nothing is written.

    Raises
    ------
    OSError
        When they can't be written.
    """
    checks = list(checks)
    text = methods_text(records, checks)
    if not text.paragraphs:
        return
    folder = output / (f"sub-{participant}" if participant else "") / FIGURES
    folder.mkdir(parents=True, exist_ok=True)
    by_key = methods_text(records, checks, cite=lambda cited: f"\0{','.join(reference.key for reference in cited)}\0")
    cited = re.compile("(?:~| )\0([^\0]*)\0")
    paragraphs = (cited.sub(r"~\\citep{\1}", in_latex(paragraph)) for paragraph in by_key.paragraphs)
    write_text(folder / "CITATION.md", text.plain)
    write_text(folder / "CITATION.tex", _DOCUMENT.format(text="\n\n".join(paragraphs)))
    write_text(folder / "CITATION.bib", "\n".join(in_bibtex(reference) for reference in text.references))


def in_latex(text: str) -> str:
    """The same text as LaTeX prints it."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def in_bibtex(reference: Reference) -> str:
    """A reference as an entry for BibTeX; what follows its title's first sentence says where it was published."""
    names, _, year = reference.authors.rstrip(".").partition(" (")
    title, _, published = reference.title.partition(". ")
    fields = {
        "author": " and ".join(map(_author, names.split(", "))),
        "title": f"{{{in_latex(title)}}}",
        "howpublished": in_latex(published.rstrip(".")),
        "year": year.rstrip(")"),
        "doi": reference.doi,
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value.strip("{}")]
    return f"@misc{{{reference.key},\n" + ",\n".join(lines) + "\n}\n"


def _author(name: str) -> str:
    """``Hunter JD`` as BibTeX wants it; a group's name stays whole."""
    if name.startswith("et al"):
        return "others"
    family, _, initials = name.rpartition(" ")
    if not (family and initials.isupper()):
        return f"{{{in_latex(name)}}}"
    return f"{in_latex(family)}, {' '.join(f'{initial}.' for initial in initials)}"
