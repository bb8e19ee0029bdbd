"""Codes, temporary passwords and tokens: only hashes are stored, and what is shown is valid once."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from core.access import codes
from core.access.codes import CodeVerdict, KeptCode
from tests.support.factories import NOW

KEY = b"k" * 32


def kept(code: str, **more) -> KeptCode:
    return KeptCode(codes.code_hash(code, key=KEY, bound_to="phone:12"), NOW, **more)


def judged(code: KeptCode, shown: str, *, after: timedelta = timedelta()) -> CodeVerdict:
    return code.judge(codes.code_hash(shown, key=KEY, bound_to="phone:12"), now=NOW + after)


@pytest.mark.requirement("R-219", "R-220")
def test_a_code_has_six_digits_and_leading_zeros() -> None:
    """Each of the million codes is possible, and all of them have six characters."""
    made = {codes.make_code() for _ in range(3_000)}
    assert all(len(code) == 6 and code.isdecimal() for code in made)
    assert any(code.startswith("0") for code in made)
    assert len(made) > 2_900


@pytest.mark.requirement("R-219")
@pytest.mark.parametrize("shown", ["042117", " 042 117 ", "042-117", "042\u202f117\n"])
def test_a_code_is_accepted_with_spaces_and_hyphens(shown) -> None:
    """People and mail programs insert spaces and hyphens."""
    assert judged(kept("042117"), shown) is CodeVerdict.RIGHT


@pytest.mark.parametrize("shown", ["042118", "42117", "", "0" * 5_000, "\ud800", "\0"])
def test_another_code_is_wrong(shown) -> None:
    """Whatever it is."""
    assert judged(kept("042117"), shown) is CodeVerdict.WRONG


def test_a_code_lasts_fifteen_minutes_to_the_instant() -> None:
    """From then on it is expired, right or wrong."""
    last = timedelta(minutes=15) - timedelta(seconds=1)
    assert judged(kept("042117"), "042117", after=last) is CodeVerdict.RIGHT
    for shown in ("042117", "000000"):
        assert judged(kept("042117"), shown, after=timedelta(minutes=15)) is CodeVerdict.EXPIRED


def test_a_code_has_five_tries() -> None:
    """The fifth is checked; the sixth is refused even if it is right, and so is a used code."""
    assert judged(kept("042117", tries=5), "042117") is CodeVerdict.RIGHT
    assert judged(kept("042117", tries=6), "042117") is CodeVerdict.EXPIRED
    assert judged(kept("042117", used=True), "042117") is CodeVerdict.EXPIRED
    assert [kept("1", tries=tries).tries_left for tries in (0, 4, 5, 9)] == [5, 1, 0, 0]
    assert [kept("1", tries=tries).open_at(NOW) for tries in (0, 4, 5)] == [True, True, False]


def test_the_next_code_is_sent_after_a_minute_at_the_earliest() -> None:
    """Counted from the last code."""
    code = kept("042117")
    assert code.resend_after(NOW + timedelta(seconds=20)) == timedelta(seconds=40)
    assert code.resend_after(NOW + timedelta(seconds=90)) == timedelta()


def test_a_codes_hash_depends_on_its_purpose_and_the_key() -> None:
    """A copy of the table is not enough to try the million codes, nor to use one for another purpose."""
    mine = codes.code_hash("042117", key=KEY, bound_to="phone:12")
    assert mine != codes.code_hash("042117", key=b"x" * 32, bound_to="phone:12")
    assert mine != codes.code_hash("042117", key=KEY, bound_to="phone:13")
    assert "042117" not in repr(replace(kept("042117"), tries=1))


def test_a_temporary_password_has_at_least_eighty_bits() -> None:
    """From an alphabet that can be copied from paper, and never the same twice."""
    made = [codes.make_temporary_password() for _ in range(500)]
    assert len(set(made)) == 500
    letters = set("".join(made)) - {"-"}
    assert not letters & set("01OIl")
    assert all(len(one.replace("-", "")) * math.log2(len(letters)) >= 80 for one in made)


def test_recovery_codes_are_ten_and_differ() -> None:
    """49 bits each."""
    made = codes.make_recovery_codes()
    assert len(set(made)) == 10
    assert all(len(one) == 11 for one in made)


def test_a_token_begins_with_its_kind() -> None:
    """And has 256 bits after its prefix."""
    one, other = codes.make_token("smp_"), codes.make_token("smp_")
    assert one != other
    assert one.startswith("smp_")
    assert len(one) == len("smp_") + 43
    assert codes.token_hash(one) != codes.token_hash(other)
