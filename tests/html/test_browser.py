"""The HTML page in a browser: sorted, filtered and read by keyboard, in the dark, on paper, without a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from threading import Thread
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from reconciler.render.html import page as html
from tests.core.core_world import E5, license_, numbered, portal_state, product
from tests.core.report_story import story_report
from tests.html.html_world import changing, many, page_of, report_with_history

Open = Callable[..., Page]
"""Opens a page's text: ``open_(text, fragment, **options of the browser's context)``."""

STORY = html.render(story_report())
CHANGED = portal_state(product(), product(license_(E5), consumers=101))
WITH_LINES = html.render(report_with_history(CHANGED, history=changing(CHANGED)))
"""A page with two history lines, one of a product that is short."""

ROWS = "#all-products tbody tr"


@pytest.fixture
def open_(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens pages, and lets no test pass whose page reports an error: of its script, or of its policy."""
    contexts, complaints = [], []

    def opened(text: str = STORY, fragment: str = "", **options: Any) -> Page:
        path = tmp_path / "index.html"
        path.write_text(text, encoding="utf-8")
        contexts.append(browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **options}))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{path.as_uri()}{fragment}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def shown(page: Page) -> list[str]:
    """The products that can be seen, by title."""
    return page.locator(f"{ROWS}:visible th a").all_inner_texts()


def column(page: Page, place: int) -> list[str]:
    """What the visible rows have in one column, from 1."""
    return page.locator(f"{ROWS}:visible > :nth-child({place})").all_inner_texts()


def sort_by(page: Page, name: str) -> None:
    """Click a head of the products' table."""
    page.locator("#all-products thead").get_by_role("button", name=name, exact=True).click()


# --- sort ------------------------------------------------------------------------------------------------------------


def test_numbers_sort_by_value_and_missing_ones_are_last_both_ways(open_: Open) -> None:
    page = open_()

    def balances() -> list[int | None]:
        return [None if text == "–" else int(text.replace("−", "-").replace(",", "")) for text in column(page, 10)]

    known = sorted(value for value in balances() if value is not None)
    missing = [value for value in balances() if value is None]
    assert missing
    sort_by(page, "Balance")
    assert balances() == [*known, *missing]
    assert page.locator("#all-products th[aria-sort]").get_attribute("aria-sort") == "ascending"
    sort_by(page, "Balance")
    assert balances() == [*reversed(known), *missing]
    assert page.locator("#all-products th[aria-sort]").get_attribute("aria-sort") == "descending"


def test_statuses_sort_worst_first_and_only_one_column_is_sorted(open_: Open) -> None:
    page = open_()
    sort_by(page, "Product")
    sort_by(page, "Status")
    assert "Not enough licenses assigned" in column(page, 2)[0]
    assert "Not metered" in column(page, 2)[-1]
    assert page.locator("#all-products th[aria-sort]").count() == 1


def test_portals_sort_too(open_: Open) -> None:
    page = open_()
    heads = page.locator("#portals thead")
    heads.get_by_role("button", name="Users").click()
    heads.get_by_role("button", name="Users").click()
    assert page.locator("#portals tbody tr").first.locator("th").inner_text() == "Contoso"


# --- filter ----------------------------------------------------------------------------------------------------------


def test_a_search_finds_titles_part_numbers_ids_and_portals(open_: Open) -> None:
    page = open_()
    search = page.get_by_label("Search", exact=True)
    for text, titles in (
        ("e5 CONTOSO", ["Microsoft 365 E5"]),
        ("enterprisepack fabrikam", ["Office 365 E3"]),
        (numbered(3), ["SHAREPOINTSTORAGE"]),
        ("no such product", []),
    ):
        search.fill(text)
        assert shown(page) == titles
        some = f"{len(titles)} of 16 products" if titles else "None of 16 products matches: Reset shows all"
        assert page.locator("#shown").inner_text() == some
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(page.locator("#shown")).to_have_text("All 16 products")
    assert len(shown(page)) == 16


@pytest.mark.parametrize("text", ["-15", "−15"])
def test_a_search_for_a_negative_number_finds_no_date(open_: Open, text: str) -> None:
    page = open_()
    page.get_by_label("Search", exact=True).fill(text)
    assert shown(page) == ["Microsoft 365 E5"]
    page.get_by_label("Search", exact=True).fill("-12")
    assert shown(page) == []
    page.get_by_label("Search", exact=True).fill("2026-12-08")
    assert shown(page) == ["EMS"]


def test_a_single_product_is_counted_as_one(open_: Open) -> None:
    expect(open_(page_of(portal_state(product()))).locator("#shown")).to_have_text("1 product")


def test_status_portal_and_search_filter_together(open_: Open) -> None:
    page = open_()
    page.get_by_label("Status", exact=True).select_option("not_enough_licenses")
    assert len(shown(page)) == 3
    page.get_by_label("Portal", exact=True).select_option("contoso")
    assert shown(page) == ["Microsoft 365 E5", "POWER_BI_PRO"]
    page.get_by_label("Search", exact=True).fill("power")
    assert shown(page) == ["POWER_BI_PRO"]
    sort_by(page, "Product")
    assert shown(page) == ["POWER_BI_PRO"]


def test_a_tile_leads_to_the_products_that_it_counts(open_: Open) -> None:
    page = open_()
    page.get_by_label("Search", exact=True).fill("office")
    page.get_by_role("link", name="Products short").click()
    assert len(shown(page)) == 3
    assert page.url.endswith("#products")


# --- keyboard --------------------------------------------------------------------------------------------------------


def test_a_slash_starts_a_search_and_escape_ends_it(open_: Open) -> None:
    page = open_()
    page.keyboard.press("/")
    page.keyboard.type("pilot")
    assert shown(page) == ["PILOT"]
    page.keyboard.type("/")
    assert page.get_by_label("Search", exact=True).input_value() == "pilot/"
    page.keyboard.press("Escape")
    assert len(shown(page)) == 16


def test_the_slash_can_be_switched_off(open_: Open) -> None:
    page = open_()
    page.get_by_label("Press / to search").uncheck()
    page.locator("h1").click()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") != "search"


def test_heads_are_reached_and_used_by_keyboard_with_a_focus_that_can_be_seen(open_: Open) -> None:
    page = open_()
    page.get_by_label("Press / to search").focus()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Entitled":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    assert page.locator("#all-products th[aria-sort]").inner_text().endswith("Entitled")


def test_the_first_tab_offers_to_skip_the_head(open_: Open) -> None:
    page = open_()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"


# --- deep links ------------------------------------------------------------------------------------------------------


def is_in_view(page: Page, selector: str) -> bool:
    """Whether the top of an element is on the screen."""
    expect(page.locator(selector)).to_be_in_viewport()
    box = page.locator(selector).bounding_box()
    return box is not None and -5 <= box["y"] < 900


def test_a_deep_link_leads_to_a_product(open_: Open) -> None:
    anchor = f"product-contoso-{numbered(6)}"
    page = open_(STORY, f"#{anchor}")
    assert is_in_view(page, f"#{anchor}")
    assert page.locator(f"#{anchor}:target").count() == 1


def test_a_deep_link_leads_to_a_portal_far_below(open_: Open) -> None:
    page = open_(page_of(*many(60, 3)), "#portal-p0055")
    assert is_in_view(page, "#portal-p0055")


def test_a_link_to_a_product_that_is_filtered_away_shows_it(open_: Open) -> None:
    page = open_()
    page.get_by_label("Search", exact=True).fill("pilot")
    page.locator("#next-steps").get_by_role("link", name="Contoso - BROKEN").click()
    expect(page.locator("tr:target")).to_be_visible()
    assert is_in_view(page, "tr:target")


@pytest.mark.parametrize(("portals", "products", "seen"), [(4, 200, 200), (1, 400, 400)])
def test_a_deep_link_leads_to_a_product_beyond_the_first_ones(
    open_: Open, portals: int, products: int, seen: int
) -> None:
    anchor = f"product-p{portals - 1:04}-{numbered(products - 1)}"
    page = open_(page_of(*many(portals, products)), f"#{anchor}")
    assert is_in_view(page, f"#{anchor}")
    assert len(shown(page)) == seen  # its portal's, and everything only where it must be


# --- colors, paper, no script ----------------------------------------------------------------------------------------


def brightness(page: Page) -> float:
    """How bright the page's background is, from 0 to 255."""
    channels = page.evaluate("getComputedStyle(document.body).backgroundColor").strip("rgba()").split(",")
    return sum(float(channel) for channel in channels[:3]) / 3


def test_the_page_follows_the_systems_colors_and_its_own_button_and_remembers(open_: Open) -> None:
    page = open_(color_scheme="dark")
    button = page.get_by_role("button", name="Dark colors")
    assert brightness(page) < 60
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert brightness(page) > 200
    assert button.get_attribute("aria-pressed") == "false"
    page.reload()
    assert brightness(page) > 200


def test_on_paper_the_page_is_light_and_whole_and_without_controls(open_: Open) -> None:
    page = open_(page_of(*many(4, 200)), color_scheme="dark")
    assert len(shown(page)) == 300
    page.emulate_media(media="print")
    assert page.locator(f"{ROWS}:visible").count() == 800
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    assert not page.locator("nav").is_visible()
    assert not page.locator(".filters").is_visible()
    assert not page.locator("#theme").is_visible()


def test_on_paper_no_text_speaks_of_what_only_a_screen_has(open_: Open) -> None:
    page = open_()
    dead = page.get_by_role("link", name="in the table of all products")
    assert dead.first.is_visible()
    page.emulate_media(media="print")
    assert not [text for text in dead.all() if text.is_visible()]
    assert not page.locator(".sideways").is_visible()


def test_the_page_prints(open_: Open) -> None:
    text = open_().pdf(prefer_css_page_size=True)
    assert text.startswith(b"%PDF-")
    assert text.count(b"/Type /Page\n") > 3


def test_without_a_script_everything_is_there_and_no_control_is_dead(open_: Open) -> None:
    page = open_(page_of(*many(4, 200)), java_script_enabled=False)
    assert page.locator(f"{ROWS}:visible").count() == 800
    assert page.locator("button:visible, input:visible, select:visible").count() == 0


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_history_lines_can_be_seen_and_told_apart_without_their_colors(
    open_: Open, scheme: Literal["light", "dark"], script: bool
) -> None:
    page = open_(WITH_LINES, "#portal-contoso", color_scheme=scheme, java_script_enabled=script)
    assert page.get_by_role("img", name="lowest balance").count() == 2
    for line in page.locator("svg.line").all():
        expect(line).to_be_visible()
        entitled, consumed = line.locator(".entitled"), line.locator(".consumed")
        expect(consumed).to_have_css("stroke-dasharray", "none")
        expect(entitled).not_to_have_css("stroke-dasharray", "none")
        expect(entitled).to_have_css("fill", "none")
        box, around = consumed.bounding_box(), line.bounding_box()
        assert box
        assert around
        assert box["width"] > 0.9 * around["width"]
        assert box["height"] > 5


SIDEWAYS = """(box) => [box.scrollWidth - box.clientWidth,
    box.querySelector("tbody td").getBoundingClientRect().right - box.getBoundingClientRect().right]"""
"""By how much a table is too wide, and whether its second column reaches out of what can be seen."""


@pytest.mark.parametrize("width", [320, 375, 1024, 1280, 1366])
def test_the_status_is_in_view_and_a_table_that_is_too_wide_says_so(open_: Open, width: int) -> None:
    page = open_(viewport={"width": width, "height": 800})
    hidden, status = page.locator(".scroll:has(#all-products)").evaluate(SIDEWAYS)
    assert page.locator(".sideways").is_visible() == (hidden > 0)
    assert (hidden > 0) == (width < 1256)
    assert status <= 0 or width == 320


def test_the_name_of_a_product_stays_while_its_row_is_scrolled_sideways(open_: Open) -> None:
    page = open_(viewport={"width": 700, "height": 800})
    name = page.locator(f"{ROWS}:first-child th")
    before = name.bounding_box()
    page.locator(".scroll:has(#all-products)").evaluate("(box) => box.scrollBy(400, 0)")
    assert name.bounding_box() == before


BROKEN = """() => [...document.querySelectorAll("td, dd, li, p, h4")].filter((part) => {
  const lines = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
  while (lines.nextNode()) {
    for (const found of lines.currentNode.data.matchAll(/\\d{4}-\\d\\d-\\d\\d/g)) {
      const range = document.createRange();
      range.setStart(lines.currentNode, found.index);
      range.setEnd(lines.currentNode, found.index + 10);
      if (new Set([...range.getClientRects()].map((box) => box.top)).size > 1) return true;
    }
  }
}).map((part) => part.textContent)"""
"""Everything in which a line breaks within a date."""


@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("width", [320, 1280])
def test_no_line_breaks_within_a_date(open_: Open, width: int, media: Literal["screen", "print"]) -> None:
    page = open_(viewport={"width": width, "height": 800})
    page.emulate_media(media=media)
    assert page.evaluate(BROKEN) == []


@pytest.mark.parametrize("width", [320, 400, 768, 1024, 1920])
def test_only_tables_scroll_sideways(open_: Open, width: int) -> None:
    page = open_(viewport={"width": width, "height": 800})
    page.locator("#portal-evil").scroll_into_view_if_needed()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


# --- alone in the world ----------------------------------------------------------------------------------------------


class _Server(BaseHTTPRequestHandler):
    """Serves one page and remembers what was asked for."""

    def __init__(self, asked: list[str], *rest: Any) -> None:
        self.asked = asked
        super().__init__(*rest)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(STORY.encode())

    def log_message(self, *_: object) -> None:
        pass


def test_no_request_leaves_the_page(browser: Browser) -> None:
    asked: list[str] = []
    requests: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Server, asked)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/index.html"
        page = browser.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address)
        page.get_by_role("button", name="Dark colors").click()
        page.get_by_label("Search", exact=True).fill("contoso")
        sort_by(page, "Balance")
        page.wait_for_timeout(300)
        assert [url for url in requests if not url.startswith("data:")] == [address]
        page.evaluate("fetch('/leak').catch(() => null)")
        page.evaluate("new Promise((done) => { const i = new Image(); i.onerror = done; i.src = '/leak.png'; })")
        page.wait_for_timeout(300)
        page.close()
        server.shutdown()
    assert asked == ["/index.html"]  # the page's own policy stops even what is put into it


# --- accessible ------------------------------------------------------------------------------------------------------

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.parametrize("text", [STORY, WITH_LINES], ids=["story", "history"])
@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 1400), ("light", 400)])
def test_axe_finds_no_violation(open_: Open, text: str, scheme: Literal["light", "dark"], width: int) -> None:
    page = open_(text, color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)
    page.add_style_tag(content="* { content-visibility: visible !important; }")  # what is not laid out has no size
    page.evaluate(AXE)
    found = page.evaluate("(rules) => axe.run(document, {runOnly: rules})", RULES)
    said = [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]
    assert said == []
    assert len(found["passes"]) > 25


# --- big -------------------------------------------------------------------------------------------------------------


SEARCH = """(text) => {
  const field = document.getElementById("search");
  field.value = text;
  field.dispatchEvent(new Event("input"));
  return Array.from(document.querySelectorAll("#all-products tbody tr")).filter((row) => row.offsetHeight > 0).length;
}"""
SORT = """(column) => {
  document.querySelectorAll("#all-products thead button")[column].click();
  return document.querySelector("#all-products tbody tr").offsetHeight;
}"""


def test_ten_thousand_products_are_usable_in_under_two_seconds(open_: Open) -> None:
    page = open_("<p>")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy() -> float:
        """Seconds of processor time that the page has taken so far: those of other processes do not count."""
        found = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
        return float(found["TaskDuration"])

    path = Path(page.url.removeprefix("file://"))
    states = many(100, 100)
    histories = {state.id: changing(state)(state.id) for state in states}
    path.write_text(html.render(report_with_history(*states, history=histories.__getitem__)), encoding="utf-8")
    begin = busy()
    page.reload()
    assert page.evaluate(SEARCH, "sku_077_01") == 10
    loaded = busy()
    assert page.evaluate(SEARCH, "") == 300
    assert page.evaluate(SORT, 9) > 0
    assert 0.2 < loaded - begin < 2
    assert busy() - loaded < 2


def test_show_all_shows_the_rest(open_: Open) -> None:
    page = open_(page_of(*many(4, 200)))
    assert page.locator("#shown").inner_text() == "All 800 products, the first 300 shown"
    page.get_by_role("button", name="Show all").click()
    assert len(shown(page)) == 800
    assert not page.get_by_role("button", name="Show all").is_visible()
