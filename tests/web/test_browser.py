"""The example's page in a browser, over a sandbox. It needs Chromium, so only `nox -s web` runs it.

With ``PYAS_ASYNC_DRAW``, it redraws the pictures of docs/web-service.md.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pyas_async import RateBudget
from web.serving import serving, until

if TYPE_CHECKING:
    from collections.abc import Iterator

CHROMIUM = os.environ.get("PYAS_ASYNC_CHROMIUM")
if CHROMIUM is None:
    pytest.skip("in a browser: run `python3 noxfile.py -s web`", allow_module_level=True)

from playwright.sync_api import expect, sync_playwright  # noqa: E402 -- only installed for this session

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
WIDE, NARROW = {"width": 1240, "height": 800}, {"width": 430, "height": 860}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Start the browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:  # noqa: ANN401 -- playwright's
    """Open a page that may only connect to this machine, and whose console must stay empty."""
    context = chromium.new_context(viewport=WIDE, locale="en-GB", timezone_id="Europe/Berlin", device_scale_factor=1)
    said: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))

    def refuse(route: Any) -> None:  # noqa: ANN401 -- playwright's
        said.append(f"{route.request.url} is another host's")
        route.abort()

    page.route(lambda url: "//127.0.0.1:" not in url, refuse)
    yield page
    context.close()
    # The browser itself logs refused requests.
    assert [] == [text for text in said if "Failed to load resource" not in text]


def draw(page: Any, name: str) -> None:  # noqa: ANN401 -- playwright's
    """Save a picture of the page, if pictures are wanted."""
    if os.environ.get("PYAS_ASYNC_DRAW"):
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")


def test_a_listing_that_restarts(page: Any) -> None:  # noqa: ANN401
    """Rows appear as they arrive; if a page token expires midway, the page reports it and shows each row once."""
    with serving(meetings=900, budget=RateBudget.developer()) as (url, sandbox):
        page.goto(url)
        page.locator("[name=pace]").select_option("200")
        page.get_by_role("button", name="List", exact=True).click()
        page.locator("#list li").nth(30).wait_for()
        sandbox.expire_tokens()
        expect(page.locator(".restarts.some")).to_be_visible(timeout=20_000)
        draw(page, "web-listing")
        page.locator("[name=pace]").select_option("")
        expect(page.locator("#status")).to_have_text("All there: each of 900 meetings once.", timeout=30_000)
        assert 900 == page.locator("#list li").count()
        expect(page.locator("#rows")).to_have_text("900")
        expect(page.locator("#of")).to_have_text("of 100 calls left")
        left = int(page.locator("#left").text_content())
        assert 100 - len(sandbox.requests) == left
        # Days are in order, and so are the meetings of each.
        times = page.eval_on_selector_all("#list li", "items => items.map(item => +item.dataset.time)")
        assert sorted(time for time in times if time) == [time for time in times if time]
        # A click on a row shows more.
        page.locator(".meeting").first.click()
        expect(page.locator(".more").first).to_contain_text("https://")


def test_closed_tab(page: Any) -> None:  # noqa: ANN401
    """No request reaches the service after the browser has left, nor after Stop."""
    with serving(meetings=900) as (url, sandbox):
        page.goto(url)
        page.locator("[name=pace]").select_option("50")
        for leaving in ("Stop", "gone"):
            page.get_by_role("button", name="List", exact=True).click()
            page.locator("#list li").nth(5).wait_for()
            if leaving == "Stop":
                page.get_by_role("button", name="Stop").click()
            else:
                page.goto("about:blank")
            until(lambda: 0 == page.request.get(f"{url}/api/state").json()["listings"])
            seen = len(sandbox.requests)
            number = sandbox.rows(sandbox.account_ids[0])[0]["id"]
            assert page.request.get(f"{url}/api/meetings/{number}").ok
            assert [f"/zoom/meetings/{number}"] == [request.path for request in sandbox.requests[seen:]]


def test_creating(page: Any) -> None:  # noqa: ANN401
    """A created meeting appears among the others in order; a refused one is explained in the form."""
    with serving(meetings=40, budget=RateBudget.developer()) as (url, sandbox):
        page.goto(url)
        page.get_by_role("button", name="List", exact=True).click()
        expect(page.locator("#status")).to_contain_text("All there", timeout=20_000)
        page.get_by_role("button", name="New meeting").click()
        page.get_by_label("Title", exact=True).fill("Kick-off")
        page.get_by_label("Agenda", exact=True).fill("Who does what")
        page.locator("#create [name=start]").fill("2031-03-03T10:30")
        page.get_by_label("Minutes", exact=True).fill("45")
        draw(page, "web-create")
        page.get_by_label("Title", exact=True).fill("Kick-off <b>2031</b>")
        sandbox.daily_writes = 0
        page.get_by_role("button", name="Create").click()
        expect(page.locator("#wrong")).to_contain_text("429", timeout=20_000)
        sandbox.daily_writes = 100
        page.get_by_role("button", name="Create").click()
        expect(page.locator("#toast")).to_have_text("“Kick-off <b>2031</b>” is in the calendar.", timeout=20_000)
        made = page.locator("li.made")
        expect(made).to_contain_text("Kick-off <b>2031</b>")
        expect(made).to_contain_text("10:30")
        assert 41 == page.locator("#list li").count()
        topics = [row["topic"] for row in sandbox.rows(sandbox.account_ids[0])]
        assert 1 == topics.count("Kick-off <b>2031</b>")


def test_small_and_dark(page: Any) -> None:  # noqa: ANN401
    """The page fits a phone in dark mode, without anything wider than the screen."""
    with serving(meetings=120, budget=RateBudget.developer()) as (url, _):
        page.set_viewport_size(NARROW)
        page.emulate_media(color_scheme="dark")
        page.goto(url)
        page.get_by_role("button", name="List", exact=True).click()
        expect(page.locator("#status")).to_contain_text("All there", timeout=20_000)
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
        draw(page, "web-small")
