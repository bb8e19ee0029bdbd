"""core.operators.described, core.operator_files: an operator without a plugin, and what its file lacks."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.bootstrap import open_application
from core.consumption.fluids import Fluid
from core.errors import Conflict, InvalidInput
from core.language import Text
from core.metering import load_registry
from core.operator_files import sign_up_faults, with_files, write
from core.operators import ActivationMode, Asking, OccupancyKind, Step
from core.operators import Path as SignUpPath
from core.operators.described import ProfileIncomplete, profile_of
from core.settings import Settings

LEAST = {
    "name": "Acme Metering",
    "contact": {"email": "help@acme.example"},
    "privacy": {"url": "https://acme.example/privacy"},
}
TEXT = 'name = "Acme Metering"\ncontact.email = "help@acme.example"\nprivacy.url = "https://acme.example/p"\n'


_NO_MATCH = "residence_code.example: does not match the pattern in upper case and without separators"


def settings_in(folder: Path) -> Settings:
    return Settings(data_dir=folder, database_url=f"sqlite:///{folder / 'x.db'}", secret_key="s" * 40)


def test_three_values_make_a_whole_sign_up() -> None:
    """Name, contact and privacy page; the rest has defaults, in both languages."""
    profile = profile_of("acme", LEAST)
    assert (profile.code, profile.portal_name, profile.portal_url) == ("acme", "Acme Metering", "")
    assert profile.steps[0] is Step.RESIDENCE
    assert profile.steps[-1] is Step.VERIFICATION
    assert profile.privacy.purpose.fr.startswith("Acme Metering traite vos données")
    assert "24 heures" in profile.privacy.retention.fr
    assert profile.residence_code.matches(profile.residence_code.example)
    assert not profile.allow_non_occupant_owner


def test_every_value_of_a_file_is_used() -> None:
    """Words, paths, policy, figures and portal of the file are the profile's."""
    profile = profile_of(
        "acme",
        {
            **LEAST,
            "portal_name": "My water",
            "portal_url": "https://water.example",
            "activation": "TEMPORARY_PASSWORD",
            "residence_paths": ["BUILDING_CODE"],
            "dwelling_paths": ["DWELLING_REFERENCE", "SERIAL"],
            "residence_code": {"pattern": r"\d{4}", "example": "1234"},
            "move_in": "REQUIRED",
            "non_occupant_owners": True,
            "registration_hours": 48,
            "look_back_days": 90,
            "terms_version": "2026-11",
            "terms_url": {"fr": "https://acme.example/cgu", "en": "https://acme.example/terms"},
            "terms_text": {"fr": "Conditions", "en": "Terms"},
            "password": {"minimum_characters": 14, "classes": ["SPECIAL"]},
            "leaks": {"level_1_lph": 3.5},
            "notes": {"fluids": ["COLD_WATER"], "energy_mix": {"fr": "Bois", "en": "Wood"}},
            "texts": {"button": {"create": {"fr": "C'est parti", "en": "Here we go"}}},
        },
    )
    assert profile.steps[-1] is Step.FIRST_SIGN_IN
    assert profile.activation is ActivationMode.TEMPORARY_PASSWORD
    assert profile.residence_paths == (SignUpPath.BUILDING_CODE,)
    assert profile.dwelling_paths == (SignUpPath.DWELLING_REFERENCE, SignUpPath.SERIAL)
    assert profile.residence_code.matches("1234")
    assert profile.move_in is Asking.REQUIRED
    assert OccupancyKind.OWNER_NON_OCCUPANT in {choice.kind for choice in profile.occupancies}
    assert profile.text("button.create") == Text("C'est parti", "Here we go")
    assert [rule.name for rule in profile.password_policy.rules] == ["SPECIAL"]
    assert float(profile.leak_thresholds.level_1_lph) == 3.5
    assert profile.notes.fluids == {Fluid.COLD_WATER}
    assert profile.notes.energy_mix == Text("Bois", "Wood")
    assert profile.notes.complaints is None
    assert "48 heures" in profile.privacy.retention.fr
    assert "90 days" in profile.privacy.retention.en
    assert profile.terms_version == "2026-11"
    assert profile.terms_url == Text("https://acme.example/cgu", "https://acme.example/terms")
    assert profile.terms_text == Text("Conditions", "Terms")


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({}, ("name: missing", "contact.email: missing", "privacy.url: missing")),
        ({**LEAST, "name": " "}, ("name: string should have at least 1 character",)),
        ({**LEAST, "contact": {"email": "nobody"}}, ("contact.email: is no e-mail address",)),
        ({**LEAST, "portal_url": "acme"}, ("portal_url: must begin with http:// or https://",)),
        ({**LEAST, "protal_url": "x"}, ("protal_url: unknown, is it portal_url?",)),
        (
            {**LEAST, "texts": {"button.creat": {"fr": "a", "en": "b"}}},
            ("texts.button.creat: unknown, is it button.create?",),
        ),
        ({**LEAST, "texts": {"button.create": {"fr": "a"}}}, ("texts.button.create.en: missing",)),
        (
            {**LEAST, "password": {"minimum_characters": 4}},
            ("password.minimum_characters: input should be greater than or equal to 8",),
        ),
        (
            {**LEAST, "dwelling_paths": ["ADDRESS"]},
            ("dwelling_paths: ADDRESS is none of DWELLING_REFERENCE, LOT_NUMBER, SERIAL",),
        ),
        (
            {**LEAST, "residence_code": {"pattern": r"\d{4}"}},
            (_NO_MATCH,),
        ),
        ({**LEAST, "residence_code": {"pattern": r"[A-Z] \d{4}", "example": "A 0001"}}, (_NO_MATCH,)),
        ({**LEAST, "residence_code": {"pattern": r"[a-z]\d{4}", "example": "a0001"}}, (_NO_MATCH,)),
        (
            {**LEAST, "residence_code": {"pattern": "A)|(B", "example": "A"}},
            ("residence_code.pattern: no regular expression that can be used (error: unopened group)",),
        ),
        (
            {**LEAST, "terms_version": "1"},
            ("terms_version: terms_url or terms_text is missing, where they can be read",),
        ),
        (
            {**LEAST, "terms_version": "1", "terms_url": {"fr": "cgu", "en": "https://acme.example"}},
            ("terms_url.fr: must begin with http:// or https://",),
        ),
        ({**LEAST, "leaks": {"level_1_lph": 40}}, ("the thresholds of the leak levels must rise",)),
    ],
)
def test_what_is_missing_or_wrong_is_named_by_its_key(values, problems) -> None:
    """All of it at once, a word that is nearly right with the right one."""
    with pytest.raises(ProfileIncomplete) as refused:
        profile_of("acme", values)
    assert refused.value.problems == problems


def test_no_pattern_of_an_operator_takes_longer_than_its_text() -> None:
    """Anybody may type a code: one that makes backtracking engines try for hours is compared in one pass."""
    code = profile_of(
        "acme", {**LEAST, "residence_code": {"pattern": "(A+)+B", "example": "AAB"}}
    ).residence_code
    assert code.matches("AAAB")
    assert not code.matches("A" * 64)
    assert not code.matches("AAB\n")


def test_one_check_names_what_two_would() -> None:
    """Missing values, kinds, patterns, words and figures that contradict each other, all in one run."""
    with pytest.raises(ProfileIncomplete) as refused:
        profile_of(
            "acme",
            {
                "contact": {"email": "nobody"},
                "privacy": {"url": "https://acme.example/privacy"},
                "registration_hours": "soon",
                "residence_code": {"pattern": "[", "example": "1"},
                "dwelling_paths": ["SERIAL", "SERIAL"],
                "leaks": {"level_1_lph": 40},
                "terms_version": "1",
                "texts": {"button": {"creat": {"fr": "a", "en": "b"}, "create": {"fr": "a"}}},
            },
        )
    keys = [problem.partition(":")[0] for problem in refused.value.problems]
    assert keys == [
        *("name", "contact.email", "registration_hours", "texts.button.create.en"),
        *("dwelling_paths", "terms_version", "residence_code.pattern"),
        *("the thresholds of the leak levels must rise", "texts.button.creat"),
    ]


def test_a_code_that_names_no_file_is_a_reason_and_no_end(tmp_path: Path) -> None:
    """An operator that was stored before codes were checked keeps no list of operators from being shown."""
    (reason,) = sign_up_faults(load_registry(), settings_in(tmp_path), "new op!")
    assert "letters, digits" in reason


def test_a_notice_without_a_version_has_one_that_every_edit_changes() -> None:
    """The version changes with the notice, as the acceptance of it requires; its own version is kept."""
    first = profile_of("acme", LEAST).privacy.version
    assert profile_of("acme", LEAST).privacy.version == first
    assert profile_of("acme", {**LEAST, "look_back_days": 30}).privacy.version != first
    named = {**LEAST, "privacy": {"url": "https://acme.example", "version": "7"}}
    assert profile_of("acme", named).privacy.version == "7"


def test_a_plugins_profile_wins_over_a_file(tmp_path: Path) -> None:
    """A file of an operator that a plugin describes changes nothing; none is written for it."""
    folder = tmp_path / "operators"
    folder.mkdir()
    (folder / "ocea.toml").write_text(TEXT, encoding="utf-8")
    (folder / "acme.toml").write_text(TEXT, encoding="utf-8")
    registry = with_files(load_registry(), folder)
    assert registry.profile("ocea") == load_registry().profile("ocea")
    acme = registry.profile("acme")
    assert acme is not None
    assert acme.name == "Acme Metering"
    with pytest.raises(Conflict, match="a plugin describes ista"):
        write(settings_in(tmp_path), "ista", TEXT)


@pytest.mark.parametrize("text", [TEXT.replace("contact.email", "contact.mail"), "name = \n", "\udcff"])
def test_a_file_at_fault_is_named_and_the_others_work(tmp_path: Path, text: str) -> None:
    """Its operator has no sign-up, and the reason begins with the file; the other operators have theirs."""
    settings = settings_in(tmp_path)
    folder = settings.operators_dir
    folder.mkdir()
    (folder / "acme.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    (folder / "other.toml").write_text(TEXT, encoding="utf-8")
    registry = with_files(load_registry(), folder)
    (fault,) = sign_up_faults(registry, settings, "acme")
    assert fault.startswith(str(folder / "acme.toml"))
    assert sign_up_faults(registry, settings, "other") == ()


@pytest.mark.parametrize("code", ["../acme", "a/b", "", "a b", ".", "x" * 33])
def test_a_code_that_names_no_file_is_refused(tmp_path: Path, code: str) -> None:
    """No path leads out of the folder."""
    with pytest.raises(InvalidInput, match="letters, digits"):
        write(settings_in(tmp_path), code, TEXT)


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    """Edits are the operator's."""
    settings = settings_in(tmp_path)
    written = write(settings, "acme", TEXT)
    with pytest.raises(Conflict, match="exists"):
        write(settings, "acme", TEXT)
    assert written.read_text(encoding="utf-8") == TEXT


async def test_an_application_knows_the_operators_of_its_folder(settings: Settings, tmp_path: Path) -> None:
    """SUBMETER_OPERATORS_DIR names another folder than the data folder's own."""
    elsewhere = replace(settings, operators=tmp_path / "elsewhere")
    write(elsewhere, "acme", TEXT)
    async with open_application(elsewhere) as application:
        assert application.registry.profile("acme") is not None
        assert application.portal_link("acme") == "http://127.0.0.1:8000"
    async with open_application(settings) as application:
        assert application.registry.profile("acme") is None
