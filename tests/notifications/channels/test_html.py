"""The HTML part of a mail: the whole text is in the page, and none of it is read as markup."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.channels.html import html_of


class Page(HTMLParser):
    """A page as a mail program parses it: its tags, and the text shown."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.shown = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data) -> None:
        self.shown += data


FRAME = ["html", "head", "meta", "meta", "title", "body"]


@given(st.text(max_size=200), st.text(max_size=60))
def test_no_text_is_read_as_markup(text, subject) -> None:
    """The page has only paragraphs, line breaks and links to the web, whatever the text."""
    page = Page(html_of(subject, text, "fr"))
    assert page.tags[:6] == FRAME
    assert set(page.tags[6:]) <= {"p", "br", "a"}
    assert all(link.startswith(("http://", "https://")) for link in page.links)


@pytest.mark.parametrize(
    ("text", "links"),
    [
        (
            "Ouvrez\n\nhttps://p.example.org/reset-password#smf_a-b_c\n\nvite",
            ["https://p.example.org/reset-password#smf_a-b_c"],
        ),
        ("(voir https://p.example.org/a?b=1&c=2).", ["https://p.example.org/a?b=1&c=2"]),
        (
            "« https://p.example.org » ou http://q.example.org, merci",
            ["https://p.example.org", "http://q.example.org"],
        ),
        ('https://p.example.org/"onclick="x', ["https://p.example.org/"]),
        ("javascript:alert(1) www.example.org", []),
    ],
)
def test_addresses_of_the_web_are_links(text, links) -> None:
    """A full stop or a bracket after an address is not part of the link."""
    assert Page(html_of("x", text, "fr")).links == links


def test_paragraphs_and_line_breaks_are_kept() -> None:
    """The whole text is shown."""
    page = Page(html_of("Sujet", "Bonjour,\n\nune ligne\net une autre <3\n", "en"))
    assert page.tags[6:] == ["p", "p", "br"]
    assert "Bonjour,\nune ligne\net une autre <3" in page.shown
