"""The landing page."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.urls import is_valid_path


@pytest.fixture
def page(client) -> str:
    return client.get("/").content.decode()


def test_home_says_it_is_not_a_medical_device(page):
    assert "Not a medical device" in page


def test_home_links_lead_somewhere(page):
    links = re.findall(r'<a href="([^"]+)"', page)
    assert links
    assert [link for link in links if not is_valid_path(link)] == []


def test_home_has_nothing_inline(page):
    assert re.findall(r"<script|<style|\sstyle=|\son\w+=", page) == []


def test_home_policy_allows_own_files_only(client):
    policy = client.get("/").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'")


def test_home_style_sheet_exists(page):
    (href,) = re.findall(r'rel="stylesheet" href="([^"]+)"', page)
    path = finders.find(href.removeprefix("/static/"))
    assert "color-scheme" in Path(path).read_text(encoding="utf-8")


def test_home_post_is_refused(client):
    assert client.post("/").status_code == 405


def test_favicon_leads_to_the_icon(client):
    response = client.get("/favicon.ico")
    assert response.status_code == 302
    assert finders.find(response.headers["Location"].removeprefix("/static/"))
