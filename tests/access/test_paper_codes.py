"""The code of a paper: 80 random bits, and what is read wrongly from paper is forgiven."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.access.paper_codes import ALPHABET, LENGTH, new_code, read, shown


def test_a_code_has_eighty_bits() -> None:
    """Sixteen signs of thirty-two, none of which looks like another; no two are alike."""
    assert len(set(ALPHABET)) == 32
    assert not set("ILOU") & set(ALPHABET)
    codes = {new_code() for _ in range(1_000)}
    assert len(codes) == 1_000
    assert {len(code) for code in codes} == {LENGTH}
    assert set("".join(codes)) == set(ALPHABET)


@given(st.text(ALPHABET, min_size=LENGTH, max_size=LENGTH))
def test_what_is_printed_is_read(code: str) -> None:
    """As it is printed, without hyphens, in small letters, with spaces and dashes of all kinds."""
    printed = shown(code)
    assert [len(group) for group in printed.split("-")] == [4, 4, 4, 4]
    for text in (
        printed,
        code,
        printed.lower(),
        f"  {printed.replace('-', ' ')}\n",
        printed.replace("-", "\u2013"),
        printed.replace("-", "\u2011"),
        printed.replace("0", "O").replace("1", "l").replace("V", "u"),
        printed.replace("0", "o").replace("1", "I"),
    ):
        assert read(text) == code, text


@pytest.mark.parametrize(
    "text",
    ["", "0", "0" * 15, "0" * 17, "0" * 15 + "é", "0" * 15 + "*", "\x00" * 16, "0" * 9_999, "\uff10" * 16],
)
def test_another_text_is_no_code(text: str) -> None:
    """Too short, too long, other signs, digits of other scripts."""
    assert read(text) is None
