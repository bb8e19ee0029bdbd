"""Where the portal of an operator's residents is, as SUBMETER_PORTAL_URL states it.

In: the setting, an operator's code. Out: a URL without a slash at its end, or nothing. The one rule: a URL
that is given for one operator (`acme=https://…`) wins over the one for all.
"""

import re

_WORD = re.compile(r"([\w.-]+=)?https?://\S+")
_EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound


def checked(setting: str) -> str:
    """The setting as it is kept: words with one space between them.

    Raises:
        ValueError: a word is neither a URL nor `operator=URL`.
    """
    words = setting.split()
    if not all(_WORD.fullmatch(word) for word in words):
        raise ValueError("must be https://... for all operators, or operator=https://... for one")
    return " ".join(word.rstrip("/") for word in words)


def portal_of(setting: str, operator_code: str) -> str:
    """The portal of an operator's residents by the setting; empty where it says nothing of it."""
    own, for_all = f"{operator_code}=", ""
    for word in setting.split():
        if word.startswith(own):
            return word.removeprefix(own).rstrip("/")
        if word.startswith(("http://", "https://")):
            for_all = word.rstrip("/")
    return for_all


def own_url(host: str, port: int) -> str:
    """Where a server is reached from its own machine."""
    reached = "127.0.0.1" if host in _EVERY_ADDRESS else host
    return f"http://{f'[{reached}]' if ':' in reached else reached}:{port}"
