# SPDX-License-Identifier: MIT
"""A hook of MkDocs: pages link to files of the repository that are no pages, and the site takes those along."""

import posixpath
import re
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

LINK = re.compile(r"\]\(((?:\.\./)+[^)#\s]+)(#[^)]*)?\)")
FOLDER = "files"  # of the site, where they lie


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """With every file that a page links to outside of the documentation. Raises FileNotFoundError for one that is not
    there."""
    root = Path(config.docs_dir).parent
    for page in files.documentation_pages():
        for match in LINK.finditer(page.content_string):
            place = _place(page, match[1])
            if place is not None and files.get_file_from_path(place) is None:
                content = (root / _path(page, match[1]).relative_to("..")).read_bytes()
                files.append(File.generated(config, place, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page with links to where those files lie."""

    def moved(match: re.Match[str]) -> str:
        place = _place(page.file, match[1])
        if place is None:
            return match[0]
        return f"]({posixpath.relpath(place, posixpath.dirname(page.file.src_uri) or '.')}{match[2] or ''})"

    return LINK.sub(moved, markdown)


def _path(page: File, link: str) -> PurePosixPath:
    """Where a link of a page leads, seen from the documentation's folder."""
    return PurePosixPath(posixpath.normpath(posixpath.join(posixpath.dirname(page.src_uri), link)))


def _place(page: File, link: str) -> str | None:
    """Where that file lies in the site: its text, for a page would need a place among the others. None of a link to
    another page."""
    path = _path(page, link)
    if path.parts[0] != "..":
        return None
    inside = path.relative_to("..").as_posix()
    return f"{FOLDER}/{inside}.txt" if inside.endswith(".md") else f"{FOLDER}/{inside}"
