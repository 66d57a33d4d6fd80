"""What the site shows beside docs/: README.md as its first page, and the files that pages link to."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]

LINKED = {
    "CITATION.cff": "CITATION.cff",
    "CODE_OF_CONDUCT.md": "conduct.md",
    "CONTRIBUTING.md": "contributing.md",
    "LICENSE": "LICENSE",
}
"""Files beside README.md that it links to, and their names on the site."""

RULES = "src/tractcap/checks/flags.toml"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files from outside docs/."""
    first = (ROOT / "README.md").read_text(encoding="utf-8").replace("](docs/", "](")
    for name, target in LINKED.items():
        first = first.replace(f"]({name})", f"]({target})")
        files.append(File.generated(config, target, abs_src_path=str(ROOT / name)))
    files.append(File.generated(config, "index.md", content=first))
    files.append(File.generated(config, Path(RULES).name, abs_src_path=str(ROOT / RULES)))
    for path in sorted((ROOT / "integrations").rglob("README.md")):
        files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Let links to files outside docs/ lead to their copies."""
    for here, there in ((RULES, Path(RULES).name), ("README.md", "index.md"), ("integrations/", "integrations/")):
        markdown = markdown.replace(f"](../{here}", f"]({there}")
    return markdown
