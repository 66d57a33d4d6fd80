"""Patterns of paths that tell whose a tractogram is, and the table of those that the field's tools leave.

``{participant}/wave{session}/tracts/{bundle}.trk`` is one: the path below the input. Standard library alone.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice

from tractcap.errors import SettingsError
from tractcap.inputs.bundle_names import is_known
from tractcap.inputs.filenames import KNOWN_ENTITIES, split_source

PARTICIPANT, SESSION, BUNDLE, GROUP = "participant", "session", "bundle", "group"

_TOKEN = re.compile(r"\{([a-z]+[0-9]?)(?::([^{}/]+))?\}|((?:\*\*/)+|\*+)")
_NAMED = re.compile(rf"({PARTICIPANT}[2-9]?|{SESSION}|{BUNDLE}|{GROUP}|{KNOWN_ENTITIES})")

_MOST_WAYS = 10_000
"""In which a path is read before it counts as one that can be read in several."""


@dataclass(frozen=True)
class Layout:
    """How a path tells whose a tractogram is, and which bundle.

    Parameters
    ----------
    text : folders and a name, with ``{participant}``, ``{session}``, ``{bundle}``, ``{group}`` and entities of BIDS
        such as ``{run}`` where these stand. ``{desc:rec|org}`` is one of these words, ``*`` any part of a name and
        ``**/`` any number of folders. Without an ending such as ``.trk`` it is for files of all formats. A
        participant's label may stand in two parts, ``{participant}`` and ``{participant2}``.
    tool : which tool leaves such paths. Its folder may lie anywhere; any other pattern begins at the input.

    Raises
    ------
    SettingsError
        By :meth:`checked`, when the text is no pattern.
    """

    text: str
    tool: str = ""

    def checked(self) -> "Layout":
        """The pattern itself, if it is one."""
        names = [found[1] for found in _TOKEN.finditer(self.text) if found[1]]
        if unknown := [name for name in names if not _NAMED.fullmatch(name)]:
            raise SettingsError(
                f"--layout {self.text!r} has {{{unknown[0]}}}: give {{participant}}, {{session}}, {{bundle}}, "
                "{group} or an entity of BIDS, such as {run}."
            )
        if PARTICIPANT not in names or "{" in _TOKEN.sub("", self.text) or self.text.startswith("/"):
            raise SettingsError(
                f"--layout {self.text!r} is no pattern of paths below INPUT that tells participants: give one such as "
                "'{participant}/wave{session}/tracts/{bundle}.trk'."
            )
        return self

    def match(self, name: str) -> dict[str, str] | None:
        """What a path tells, by the names in the braces; None where it is no such path.

        Raises
        ------
        SettingsError
            When it can be read in several ways.
        """
        if (self.tool and self._literal not in name) or (path := self._bare(name)) is None:
            return None
        if self.tool:
            found = (regex.fullmatch(path) for regex in self._regexes)
            return next((one.groupdict() for one in found if one), None)
        lazy = self._regexes[0].fullmatch(path)
        if lazy is None or lazy.groupdict() == self._greedy.match(path).groupdict():  # type: ignore[union-attr]
            return lazy and lazy.groupdict()
        return self._only_way(name, path)

    def may_lead(self, folder: str, participants: Iterable[str]) -> bool:
        """Whether tractograms of these participants may lie in a folder, as far as its path tells."""
        for part, (regex, whole) in zip(folder.split("/"), self._steps, strict=False):
            if regex is None:
                return True
            found = regex.fullmatch(part)
            if found is None:
                return False
            if whole and (label := found.groupdict().get(PARTICIPANT)) is not None:
                return bare_label(label) in participants
        return folder.count("/") < len(self._parts) - 1

    @property
    def _parts(self) -> list[str]:
        return self.text.split("/")

    @cached_property
    def _ending(self) -> str:
        return split_source(self.text)[1]

    def _bare(self, name: str) -> str | None:
        """A path without its ending, if that is the pattern's."""
        path, ending = split_source(name)
        return path if self._ending in ("", ending) or ending == ".json" else None

    @cached_property
    def _body(self) -> str:
        return self.text.removesuffix(self._ending) if self._ending else self.text

    @cached_property
    def _literal(self) -> str:
        """A part that each path has, which is fast to look for."""
        return max((part.strip("/") for part in re.split(r"\{[^}]*\}|\*", self._body)), key=len)

    @cached_property
    def _regexes(self) -> list["re.Pattern[str]"]:
        """For the whole pattern, then for a tool's as it is seen from within its folders."""
        if not self.tool:
            return [_regex(self._body, "+?")]
        parts = self._body.split("/")
        shorter = ["/".join(parts[start:]) for start in range(1, len(parts))]
        within = [_regex(one, "+?") for one in shorter if f"{{{BUNDLE}}}" in one and f"{{{PARTICIPANT}" not in one]
        return [re.compile(f"(?:.*/)?{_regex(self._body, '+?').pattern}"), *within]

    @cached_property
    def _greedy(self) -> "re.Pattern[str]":
        return _regex(self._body, "+")

    @cached_property
    def _steps(self) -> list[tuple["re.Pattern[str] | None", bool]]:
        """Of each folder what it must be, None from where on it may be any, and whether it ends a label."""
        whole = f"{{{PARTICIPANT}2}}" not in self.text
        return [(None if part == "**" else _regex(part, "+?"), whole) for part in self._parts[:-1]]

    def _only_way(self, name: str, path: str) -> dict[str, str]:
        some = list(islice(_ways(list(_tokens(self._body)), path, {}), _MOST_WAYS))
        ways = list({tuple(sorted(way.items())): way for way in some}.values())
        if len(some) < _MOST_WAYS and len(ways) > 1:
            ways = [way for way in ways if is_known(way.get(BUNDLE, ""))] or ways
        if len(some) == _MOST_WAYS or len(ways) > 1:
            labels = " and ".join(way.get(PARTICIPANT, "") for way in ways[:2])
            raise SettingsError(
                f"{name} fits --layout {self.text!r} in several ways, such as participant {labels}: "
                "give a pattern in which one part can't be taken for another."
            )
        return ways[0]


def bare_label(label: str) -> str:
    """A participant's label without ``sub-``, and without entities behind it."""
    return re.sub(r"_[a-zA-Z]+-.*", "", label.removeprefix("sub-")) if label.startswith("sub-") else label


def fitting(name: str, patterns: Sequence[Layout]) -> Layout | None:
    """The one of the patterns that were given that a path fits.

    Raises
    ------
    SettingsError
        When it fits two that read it differently, or one in several ways.
    """
    found = {pattern: told for pattern in patterns if (told := pattern.match(name)) is not None}
    first, *others = found or (None,)
    if first and (other := next((one for one in others if one and found[one] != found[first]), None)):
        raise SettingsError(
            f"{name} fits two layouts, {first.text!r} and {other.text!r}: give patterns of which each path fits one."
        )
    return first


def known(name: str) -> Layout | None:
    """The first of the tools' patterns that a path fits."""
    return next((pattern for pattern in KNOWN if pattern.match(name) is not None), None)


@lru_cache(maxsize=256)
def _regex(text: str, many: str) -> "re.Pattern[str]":
    made: list[str] = []
    for kind, value in _tokens(text):
        if kind == "text":
            made.append(re.escape(value))
        elif kind == "*":
            made.append("[^/]*" + many.removeprefix("+"))
        elif kind == "**/":
            made.append("(?:[^/]+/)*")
        else:
            name, words = kind[1:-1], "|".join(map(re.escape, value.split("|"))) if value else f"[^/]{many}"
            made.append(f"(?P={name})" if f"(?P<{name}>" in "".join(made) else f"(?P<{name}>{words})")
    return re.compile("".join(made) + "$")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """The parts of a pattern: ``text``, ``*``, ``**/`` or a name in braces, and what belongs to it."""
    end = 0
    for found in _TOKEN.finditer(text):
        if found.start() > end:
            yield "text", text[end : found.start()]
        yield (f"{{{found[1]}}}", found[2] or "") if found[1] else (found[3][-3:] if "/" in found[3] else "*", "")
        end = found.end()
    if end < len(text):
        yield "text", text[end:]


def _ways(tokens: Sequence[tuple[str, str]], text: str, told: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """All ways in which a text fits."""
    if not tokens:
        if not text:
            yield dict(told)
        return
    (kind, value), rest = tokens[0], tokens[1:]
    for taken in _takes(kind, value, text, told):
        more = {kind[1:-1]: taken} if kind.startswith("{") else {}
        yield from _ways(rest, text[len(taken) :], {**told, **more})


def _takes(kind: str, value: str, text: str, told: Mapping[str, str]) -> list[str]:
    """What a part of a pattern may take off a text."""
    if kind == "text" or kind[1:-1] in told:
        wanted = value if kind == "text" else told[kind[1:-1]]
        return [wanted] if text.startswith(wanted) else []
    if kind == "**/":
        return ["", *(text[: found.end()] for found in re.finditer("/", text))]
    longest = text.split("/", 1)[0]
    least = 0 if kind == "*" else 1
    taken = [longest[:end] for end in range(least, len(longest) + 1)]
    return [one for one in taken if not value or one in value.split("|")]


TOOLS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "TractSeg": (
        "https://github.com/MIC-DKFZ/TractSeg#readme",
        (
            "{participant}/tractseg_output/TOM_trackings/{bundle}",
            "{participant}/TOM_trackings/{bundle}",
        ),
    ),
    "TRACULA": (
        "https://surfer.nmr.mgh.harvard.edu/fswiki/trac-all",
        (
            "{participant}/dpath/{bundle}_AS_avg*/path.pd",
            "{participant}/dpath/{bundle}_PP_avg*/path.pd",
            "{participant}/dpath/{bundle}_avg*/path.pd",
        ),
    ),
    "BUAN": (
        "https://docs.dipy.org/stable/interfaces/buan_flow.html",
        ("{group}/{participant}/{desc:rec|org}_bundles/{bundle}",),
    ),
    "whitematteranalysis": (
        "https://github.com/SlicerDMRI/whitematteranalysis/blob/master/bin/wm_apply_ORG_atlas_to_subject.sh",
        (
            "{participant}/AnatomicalTracts/T_{bundle}",
            "{participant}/FiberClustering/SeparatedClusters/tracts_{hemi:left|right}_hemisphere/{bundle}",
            "{participant}/FiberClustering/SeparatedClusters/tracts_commissural/{bundle}",
            "{participant}/FiberClustering/{desc}/**/{bundle}",
        ),
    ),
    "TractoFlow": (
        "https://tractoflow-documentation.readthedocs.io/en/latest/pipeline/results.html",
        (
            "{participant}/PFT_Tracking/{participant}__{bundle}",
            "{participant}/Local_Tracking/{participant}__{bundle}",
        ),
    ),
    "rbx_flow": (
        "https://github.com/scilus/rbx_flow/blob/master/main.nf",
        (
            "{participant}/Clean_Bundles/{participant}__{bundle}",
            "{participant}/Recognize_Bundles/{bundle}",
        ),
    ),
    "nf-neuro": (
        "https://github.com/scilus/nf-neuro/blob/main/modules/nf-neuro/bundle/recognize/main.nf",
        ("{participant}__{bundle}",),
    ),
    "DSI Studio": (
        "https://dsi-studio.labsolver.org/doc/cli_atk.html",
        (
            "{bundle}/{participant}.*fz.{bundle}",
            "{bundle}/{participant}.*fib.gz.{bundle}",
            "{bundle}/{participant}.{bundle}",
            "{participant}.*fz.{bundle}",
            "{participant}.*fib.gz.{bundle}",
        ),
    ),
}
"""Where each tool's paths are documented, and their patterns, of which the first that fits counts."""

KNOWN = tuple(Layout(text, tool) for tool, (_, texts) in TOOLS.items() for text in texts)
