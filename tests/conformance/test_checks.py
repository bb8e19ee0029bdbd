"""core.metering.conformance: each check finds the fault it is there for, and says what and where."""

import tomllib
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from msgspec.structs import replace as replace_in

from core.metering import (
    Address,
    Frame,
    MeterDriver,
    Proprietary,
    Registry,
    SerialFormat,
    Signature,
    Table,
    identify,
    open_telegram,
    read_frame,
)
from core.metering.conformance import (
    CHECKS,
    NotAPlugin,
    Vector,
    damage,
    importable,
    load_vectors,
    plugins_in,
    random_contents,
    run_check,
    run_checks,
    subjects_of,
)
from core.metering.conformance.testcase import conformance_of
from core.metering.registry import LoadedDriver
from core.metering.template import package_files

RETURN = "    return TABLE.interpret(frame, flags=ALARMS.flags(word), status_word=word)"


def results_of(folder: Path, *checks: str):
    """What these checks find, or all."""
    with importable(folder):
        subjects, broken = subjects_of(plugins_in(folder))
        asked = [check for check in CHECKS if not checks or check.name in checks]
        found = (run_check(check, subject) for subject in subjects for check in asked)
        return {result.check: result for result in found}, broken


FAULTS = tomllib.loads((Path(__file__).parent / "faults.toml").read_text("utf-8"))["fault"]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault["name"] for fault in FAULTS])
def test_a_fault_is_found_and_its_place_is_reported(package, fault) -> None:
    """One thing is wrong in an otherwise sound package: its check fails, in words that name it."""
    results, broken = results_of(package(**{fault["file"]: (fault["old"], fault["new"])}), fault["check"])
    assert broken == ()
    failures = results[fault["check"]].failures
    assert any(fault["expected"] in failure for failure in failures), failures


def test_a_plugin_that_does_not_load_is_named(package) -> None:
    """A module that raises is a result, not a stack trace."""
    results, broken = results_of(package(driver=(RETURN, "    return nothing(")))
    assert results == {}
    assert [plugin.name for plugin in broken] == ["acme"]
    assert "SyntaxError" in broken[0].reason


def test_a_plugin_in_conflict_with_itself_is_named(package) -> None:
    """Two equal signatures in one package are reported as such."""
    _, broken = results_of(package(driver=('Signature("ACM", 0x01, 0x06)', 'Signature("ACM", 0x01, 0x07)')))
    assert "Two plugins claim the meters ACM/01/07" in broken[0].reason


def test_a_package_without_telegrams_fails(package) -> None:
    """No vectors.toml, or an empty one, proves nothing."""
    folder = package()
    (folder / "submeter_acme" / "vectors.toml").unlink()
    results, _ = results_of(folder, "vectors")
    assert "there is no vectors.toml in" in results["vectors"].failures[0]


def test_telegrams_of_a_package_with_several_drivers_say_whose_they_are(package) -> None:
    """A vector with `driver` counts for that driver alone."""
    results, _ = results_of(package(vectors=("flags = []", 'flags = []\ndriver = "other"')), "vectors")
    assert results["vectors"].looked_at == "1 telegram, 1 encrypted with a key of the meter"


@pytest.mark.parametrize(
    ("text", "reported"),
    [(None, "cannot be read"), ("[", "is no TOML"), ("[project]\nname = 'acme'", "declares nothing under")],
)
def test_a_folder_that_is_no_plugin_is_refused(tmp_path: Path, text: str | None, reported: str) -> None:
    """What the folder lacks is stated in one sentence."""
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(NotAPlugin, match=reported):
        plugins_in(tmp_path)


def test_a_package_under_src_is_found(package) -> None:
    """The other common layout is read as well."""
    folder = package()
    (folder / "src").mkdir()
    (folder / "submeter_acme").rename(folder / "src" / "submeter_acme")
    results, broken = results_of(folder)
    assert broken == ()
    assert all(result.passed for result in results.values())


def test_a_plugin_that_is_one_file_is_read(tmp_path: Path) -> None:
    """A module without a package is a plugin too; its telegrams lie beside it."""
    files = package_files("solo", "SOL")
    (tmp_path / "submeter_solo.py").write_text(
        files["submeter_solo/driver.py"]
        + "\nfrom submeter.vendor import hookimpl\n\n"
        + "@hookimpl\ndef submeter_drivers():\n    return [DRIVER]\n"
    )
    (tmp_path / "vectors.toml").write_text(files["submeter_solo/vectors.toml"])
    with importable(tmp_path):
        subjects, _ = subjects_of([EntryPoint("solo", "submeter_solo", "submeter.drivers")])
        assert [result for result in run_checks(subjects) if not result.passed] == []


def test_a_test_class_of_a_broken_plugin_says_why(package) -> None:
    """pytest shows the reason while it collects."""
    folder = package(driver=(RETURN, "    return nothing("))
    with importable(folder), pytest.raises(TypeError, match="does not load: SyntaxError"):
        conformance_of("submeter_acme")


def intact_only(vector: Vector, registry: Registry):
    """Decoding that checks nothing: whatever comes, it answers as for the sound telegram."""
    opened = open_telegram(identify(vector.telegram, registry), vector.key)
    return lambda *_arguments, **_options: opened.identified, lambda *_arguments: opened


def test_decoding_that_checked_nothing_would_be_found_out(monkeypatch, registry) -> None:
    """Values from cut, damaged, wrongly keyed and keyless telegrams are each found: a question can fail."""
    text = (Path(__file__).parents[2] / "drivers" / "ista" / "vectors.toml").read_text()
    vector = load_vectors(text)[0]
    identify_all, open_all = intact_only(vector, registry)
    monkeypatch.setattr(damage, "identify", identify_all)
    monkeypatch.setattr(damage, "open_telegram", open_all)
    failures, _ = damage.look_for_damage(registry.named("ista"), (vector,), registry)
    for reported in (
        "cut to 12 bytes",
        "a link checksum fails",
        "the encrypted content is damaged",
        "64 of 64 wrong keys",
        "without its",
    ):
        assert any(reported in failure for failure in failures), reported


def careless(envelope, _key) -> Frame:
    """A vendor's own opening that looks at no check: any content gives a volume."""
    volume = envelope.raw[-4:-1] + bytes((envelope.raw[-1] & 0x7F,))  # a volume below zero is no value
    telegram = envelope.raw[:11] + bytes.fromhex("0413") + volume
    return read_frame(envelope, telegram, 11, opened_from=10)


def careless_driver() -> tuple[MeterDriver, Registry]:
    """A driver that opens its telegrams so, and the registry of it alone."""
    driver = MeterDriver(
        name="careless",
        title="Careless",
        signatures=(Signature("CAR"),),
        serial=SerialFormat(pattern=r"\d{8}", example="12345678"),
        interpret=Table(target=(1,)).interpret,
        proprietary=Proprietary(frozenset({("CAR", 0xA2)}), lambda envelope: envelope.link_address, careless),
    )
    registry = Registry((LoadedDriver(driver, "careless", "unknown", "unknown"),))
    return driver, registry


def test_a_vendors_own_encryption_without_a_check_is_found_out() -> None:
    """Random content that gives values time after time has not been checked."""
    driver, registry = careless_driver()
    raw = (
        bytes.fromhex("1344")
        + Address("CAR", "12345678", 1, 7).to_wire()
        + bytes.fromhex("A200000000000001E240")[:10]
    )
    vector = Vector("careless", "CAR-12345678-01-07", raw, None, {}, frozenset())
    failures, _ = damage.look_for_damage(driver, (vector,), registry)
    assert any("64 of 64 random contents give values" in failure for failure in failures)
    with_key = replace(vector, key=bytes(8))
    assert any(
        "wrong keys give values" in text for text in damage.look_for_damage(driver, (with_key,), registry)[0]
    )


def test_a_driver_that_takes_any_content_is_found_out() -> None:
    """Each of 200 random contents behind the careless header gives a volume; five of them are shown."""
    driver, registry = careless_driver()
    head = bytes.fromhex("1344") + Address("CAR", "12345678", 1, 7).to_wire()
    raw = head + bytes.fromhex("A200000000000001E240")
    vector = Vector("careless", "CAR-12345678-01-07", raw, None, {}, frozenset())
    failures, looked_at = random_contents.look_for_chance(driver, (vector,), registry, 200)
    assert len(failures) == 5
    assert all("gives total_volume_m3" in failure for failure in failures)
    assert looked_at == "200 random contents behind the headers of 1 content"


def test_damage_is_the_same_every_time(registry) -> None:
    """Seeded by the driver's name: what failed once fails again."""
    subjects, _ = subjects_of([EntryPoint("itron", "drivers.itron", "submeter.drivers")])
    once = damage.look_for_damage(subjects[0].driver, subjects[0].vectors[:2], registry)
    assert damage.look_for_damage(subjects[0].driver, subjects[0].vectors[:2], registry) == once


def test_opening_many_otherwise_than_one_is_found_out() -> None:
    """`open_many` may leave a telegram to `open`, and may not answer with another frame, or for too few."""
    (subject,), _ = subjects_of([EntryPoint("ocea", "drivers.ocea", "submeter.drivers")])
    own = subject.driver.proprietary
    assert own is not None

    def failures(open_many) -> list[str]:
        driver = replace(subject.driver, proprietary=replace(own, open_many=open_many))
        loaded = replace(subject.loaded, driver=driver)
        tried = replace(subject, loaded=loaded, registry=Registry((loaded,)))
        (asked,) = (check for check in CHECKS if check.name == "values")
        return run_check(asked, tried).failures

    def other(envelopes, keys) -> list[Frame | None]:
        frames = [own.open(envelope, key) for envelope, key in zip(envelopes, keys, strict=True)]
        return [None if frame is None else replace_in(frame, in_clear=True) for frame in frames]

    assert not failures(lambda envelopes, keys: [None] * len(envelopes))
    for wrong in (other, lambda envelopes, keys: []):
        assert any("open_many does not answer" in text for text in failures(wrong))
