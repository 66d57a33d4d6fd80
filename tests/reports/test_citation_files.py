"""The methods text as files for an article."""

import re

from outputs import Output

from tractcap.reports.citation_files import in_bibtex, in_latex
from tractcap.reports.methods import references
from tractcap.reports.participant_page import write_participant_page


def test_they_cite_what_they_list(output: Output) -> None:
    output.add("ForcepsMajor")
    write_participant_page(output.root, "01")
    folder = output.root / "sub-01/figures"
    assert sorted(path.name for path in folder.glob("CITATION*")) == ["CITATION.bib", "CITATION.md", "CITATION.tex"]
    markdown, latex, bibtex = ((folder / f"CITATION.{ending}").read_text() for ending in ("md", "tex", "bib"))
    cited = {key for keys in re.findall(r"\\citep\{([^}]*)\}", latex) for key in keys.split(",")}
    assert cited == set(re.findall(r"^@misc\{(\w+),$", bibtex, re.MULTILINE)) > {"vtk", "numpy"}
    assert f"- {references()['vtk'].plain}" in markdown
    assert latex.count("\\begin{document}") == latex.count("\\end{document}") == 1
    assert "\0" not in latex
    first = re.search(r"were drawn with tractcap [^.]*\.", markdown)
    assert first
    assert in_latex(first[0]) in latex


def test_nothing_is_written_where_nothing_was_drawn(output: Output) -> None:
    output.add("ForcepsMajor", status="failed")
    write_participant_page(output.root, "01")
    assert not list(output.root.rglob("CITATION*"))


def test_every_reference_is_an_entry_that_bibtex_reads() -> None:
    for key, reference in references().items():
        entry = in_bibtex(reference)
        fields = dict(re.findall(r"^  (\w+) = \{(.*)\},?$", entry, re.MULTILINE))
        assert {"author", "title"} <= fields.keys(), key
        assert fields.get("doi", "") == reference.doi
        assert len(re.findall(r"(?<!\\)\{", entry)) == len(re.findall(r"(?<!\\)\}", entry))
        assert not re.search(r"(?<!\\)[&%$#_]", "".join(fields[name] for name in fields if name != "doi")), key
    dipy = in_bibtex(references()["dipy"])
    assert "author = {Garyfallidis, E. and Brett, M. and " in dipy
    assert "van der Walt, S." in dipy
    assert "and {Dipy Contributors}}" in dipy
    assert "year = {2014}" in dipy
    assert "and others}" in in_bibtex(references()["numpy"])


def test_signs_of_latex_are_escaped() -> None:
    assert (
        in_latex(r"5 % of a_b & {c} \\ ~")
        == r"5 \% of a\_b \& \{c\} \textbackslash{}\textbackslash{} \textasciitilde{}"
    )
