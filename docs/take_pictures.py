"""Takes the README's pictures of a running site: python docs/take_pictures.py URL LOGIN PASSWORD."""

import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
CHROMIUM = {
    "executable_path": "/usr/bin/chromium",
    "args": ["--no-sandbox", "--disable-background-networking"],
}
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}


def phone(browser: Browser, url: str, path: str, name: str, *, elder: bool = False) -> None:
    """One public page at phone size."""
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    if elder:
        context.add_cookies([{"name": "sp_elder", "value": "1", "url": url}])
    page = context.new_page()
    page.goto(url + path)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / f"{name}.png")
    context.close()


def room(browser: Browser, url: str, key: str) -> None:
    """The first scene of an escape room."""
    page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
    page.goto(f"{url}/p/{key}")
    page.click("form[action^='/play/'] button")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / "room-phone.png")


def desk(browser: Browser, url: str, login: str, password: str) -> None:
    """The reach report and a request for approval at desktop size; the site runs with SIGNPOST_SECOND_FACTOR=off."""
    page = browser.new_page(viewport=DESK)  # type: ignore[arg-type]
    page.goto(f"{url}/desk/sign-in")
    page.fill("[name=login]", login)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_load_state()
    page.goto(f"{url}/desk/reach?from=2023-01-01&to=2023-12-31")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / "reach-desk.png")
    page.goto(f"{url}/desk/approvals/1")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / "approval-desk.png")


def main(url: str, login: str, password: str) -> None:
    """All of them."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)  # type: ignore[arg-type]
        phone(browser, url, "/", "home-phone")
        phone(browser, url, "/", "home-elder", elder=True)
        phone(browser, url, "/p/full-surrender", "long-graphic-phone")
        room(browser, url, "room-health-lecture")
        desk(browser, url, login, password)


if __name__ == "__main__":
    main(*sys.argv[1:4])
