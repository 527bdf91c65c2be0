"""Every link of the documentation leads somewhere, and every page can be reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.docs_pages import ROOT, anchors, links, name, pages


def _target(page: Path, link: str) -> tuple[Path, str]:
    """The file and the anchor that a link of a page leads to."""
    path, _, anchor = link.partition("#")
    return ((page.parent / path).resolve() if path else page), anchor


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_relative_link_resolves(page: Path) -> None:
    broken = []
    for link in links(page.read_text(encoding="utf-8")):
        target, anchor = _target(page, link)
        if not target.exists() or not target.is_relative_to(ROOT):
            broken.append(f"{link}: there is no such file")
        elif anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
            broken.append(f"{link}: the page has no such heading")
    assert not broken, f"{name(page)}: {'; '.join(broken)}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        waiting += [_target(page, link)[0] for link in links(page.read_text(encoding="utf-8"))]
    assert not {name(page) for page in pages() if page not in reached}


def test_anchors_are_made_as_github_makes_them() -> None:
    text = "# Check, look `apply`\n## 2. A [link](x.md)\n## Same\n## Same\n```sh\n# no heading\n```\n"
    assert anchors(text) == {"check-look-apply", "2-a-link", "same", "same-1"}
