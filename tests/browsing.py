"""Ways around a report in a browser that several test files share."""

import pytest

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")
FLAGS += ("--disable-background-networking", "--disable-component-update", "--disable-sync")
"""Chromium as root on a machine without a network."""


def until(page, condition):
    """Wait for a condition; Playwright's own way is forbidden by the page's policy."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never: {condition}")


def region(page, name):
    return page.get_by_role("region", name=name, exact=True)


def choice(page, name):
    return page.get_by_role("combobox", name=name, exact=True)
