"""Servers that a machine may have installed: where they are, and a test's reason where they are not.

In: a program's name. Out: its path. The one rule: whoever asks is a test that cannot run without it.
"""

import shutil

import pytest

_PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin", "/opt/homebrew/bin")
"""Where servers are that a user's PATH may lack."""


def path_of(name: str, title: str) -> str:
    """The program's path; skips the test where it is not installed. Debian's package has its name."""
    found = shutil.which(name) or next(
        (path for place in _PLACES if (path := shutil.which(name, path=place))), None
    )
    if found is None:
        pytest.skip(f"{title} is not installed (Debian: apt install {name})")
    return found
