"""The HTML part of an e-mail, made from its plain text, with the same content.

In: a subject, a text and its language. Out: a page. The one rule: all text is escaped, a dwelling's name as
much as a visitor's question; and the page loads nothing from anywhere.
"""

import re
from html import escape

_ADDRESS = re.compile(r"https?://[^\s<>\"'«»“”]*[^\s<>\"'«»“”.,;:!?)]")
_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{subject}</title>
</head>
<body style="font-family: sans-serif; line-height: 1.5; max-width: 40em">
{paragraphs}
</body>
</html>
"""


def html_of(subject: str, text: str, language: str) -> str:
    """The page of a text: its paragraphs, with web addresses as links.

    Args:
        subject: the page's title.
        text: paragraphs with an empty line between them.
        language: `fr` or `en`.
    """
    paragraphs = "\n".join(f"<p>{_marked_up(paragraph)}</p>" for paragraph in text.strip().split("\n\n"))
    return _PAGE.format(language=escape(language), subject=escape(subject), paragraphs=paragraphs)


def _marked_up(paragraph: str) -> str:
    written, begin = [], 0
    for found in _ADDRESS.finditer(paragraph):
        address = escape(found[0])
        written += [escape(paragraph[begin : found.start()]), f'<a href="{address}">{address}</a>']
        begin = found.end()
    return "".join([*written, escape(paragraph[begin:])]).replace("\n", "<br>\n")
