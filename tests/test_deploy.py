"""What `deploy/` starts: every command is one of the command line, every file that is named is there."""

import configparser
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import pytest
from ruamel.yaml import YAML

from core.settings import from_environment
from graphql_schema.monitoring import HEALTH_ROUTES
from submeter.main import app

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = YAML(typ="safe").load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
OURS = {name: one for name, one in COMPOSE["services"].items() if one["image"].startswith("submeter")}
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


def unit(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment]  # keys have capitals
    parser.read(path, encoding="utf-8")
    return parser


def example() -> dict[str, str]:
    lines = (DEPLOY / "submeter.env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def parsed(command: list[str]) -> str:
    """The name of the function that a command line runs; a wrong one raises."""
    function, _, _ = app.parse_args(command, exit_on_error=False, print_error=False)
    return function.__name__


def test_the_compose_file_is_one() -> None:
    """By the schema of the Compose specification, which check-jsonschema brings along."""
    command = [
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        str(DEPLOY / "compose.yaml"),
    ]
    answer = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_compose_file_has_what_an_installation_needs() -> None:
    """A database, a broker, a mail catcher, two API processes and two workers; each says how it is."""
    commands = {name: parsed(service["command"]) for name, service in OURS.items()}
    assert commands == {
        "migrate": "migrate",
        "api-1": "serve",
        "api-2": "serve",
        "worker-1": "worker",
        "worker-2": "worker",
    }
    assert COMPOSE["services"].keys() - OURS.keys() == {"broker", "counters", "database", "mail"}
    without = {name for name, service in COMPOSE["services"].items() if "healthcheck" not in service}
    assert without == {"migrate"}  # it ends


def test_the_workers_read_the_broker_each_by_a_session_of_its_own() -> None:
    """The broker's address, as a user whom its access list knows; and an identifier for each worker."""
    url = urlsplit(example()["SUBMETER_MQTT_URL"])
    assert url.hostname in COMPOSE["services"]
    users = re.findall(
        r"^user (\S+)$", (DEPLOY / "mosquitto" / "acl").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert url.username in users
    workers = [one for one in OURS.values() if one["command"] == ["worker"]]
    ids = {one["environment"]["SUBMETER_MQTT_CLIENT_ID"] for one in workers}
    assert len(ids) == len(workers) == 2


def test_what_a_health_check_asks_for_is_there() -> None:
    """The paths are routes, at the ports that the settings say."""
    paths = {route.path for route in HEALTH_ROUTES}
    ports = {"serve": 8000, "worker": int(example()["SUBMETER_METRICS_ADDRESS"].rpartition(":")[2])}
    for name, service in OURS.items():
        if "healthcheck" in service:
            (url,) = re.findall(
                r'urlopen\("http://127\.0\.0\.1:(\d+)(/[\w/]+)"', service["healthcheck"]["test"][-1]
            )
            assert (int(url[0]), url[1] in paths) == (ports[service["command"][0]], True), name


def test_a_stop_is_given_the_time_that_it_may_take() -> None:
    """Whoever ends a process waits for longer than the process itself."""
    allowed = int(example()["SUBMETER_STOP_SECONDS"])
    assert {int(one["stop_grace_period"].removesuffix("s")) for one in OURS.values()} == {allowed + 10}
    for path in UNITS:
        if "@" in path.name:
            assert int(unit(path)["Service"]["TimeoutStopSec"]) == allowed + 10


def test_the_example_of_the_environment_can_be_started_with(tmp_path) -> None:
    """Every variable is a setting; only the secrets are missing, and a placeholder is refused."""
    environment = {**example(), "SUBMETER_DATA_DIR": str(tmp_path)}
    with pytest.raises(Exception, match="SUBMETER_SECRET_KEY needs at least 32 characters"):
        from_environment(environment)
    settings = from_environment({**environment, "SUBMETER_SECRET_KEY": "x" * 40})
    assert not settings.is_sqlite
    known = set(re.findall(r"SUBMETER_\w+", (ROOT / "docs/settings.md").read_text(encoding="utf-8")))
    assert {name for name in environment if name.startswith("SUBMETER_")} <= known


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_command_without_rights(path) -> None:
    """One of the command line, as a user of its own, who may write into its own folder alone."""
    service = unit(path)["Service"]
    program, *arguments = service["ExecStart"].replace("%i", "1").split()
    assert program == "/opt/submeter/bin/submeter"
    assert parsed(arguments) == re.match(r"submeter-(\w+)", path.name)[1]
    wanted = {
        "User": "submeter",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "PrivateTmp": "yes",
        "CapabilityBoundingSet": "",
        "StateDirectoryMode": "0700",
        "UMask": "0077",
    }
    assert {name: service.get(name) for name in wanted} == wanted


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_is_one_that_systemd_reads(path, tmp_path) -> None:
    """No key that it does not know; the program itself need not be installed here."""
    for one in UNITS:
        shutil.copy(one, tmp_path / one.name.replace("@.", "@1."))
    name = path.name.replace("@.", "@1.")
    answer = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / name)], capture_output=True, text=True, check=False
    )
    complaints = [
        line
        for line in answer.stderr.splitlines()
        if "submeter" in line and "is not executable: No such file" not in line
    ]
    assert complaints == []


def test_the_container_has_every_package_and_no_rights() -> None:
    """What the wheel is made of is copied; the last stage ends as a user who is not root."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {
        name.removesuffix("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]
    }
    assert packages <= set(re.findall(r"^COPY (\w+) \1$", text, re.MULTILINE))
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        assert [name for name in source.split() if not (ROOT / name).exists()] == []
    last = text.split("\nFROM ")[-1]
    assert re.findall(r"^USER (.+)$", last, re.MULTILINE) == ["10001:10001"]
    assert "pip install --require-hashes --no-deps -r requirements.lock" in text
    entry = re.search(r'^ENTRYPOINT \["submeter"\]\nCMD \["(\w+)"\]$', text, re.MULTILINE)
    assert entry is not None
    assert parsed([entry[1]]) == "serve"


def test_the_container_installs_what_the_product_is_tested_with() -> None:
    """Its lock is requirements.lock and the extras of a service, version by version."""
    pins = [
        set(re.findall(r"^[\w.-]+==\S+", path.read_text(encoding="utf-8"), re.MULTILINE))
        for path in (ROOT / "requirements.lock", DEPLOY / "requirements.lock", ROOT / "requirements-dev.lock")
    ]
    assert pins[0] < pins[1] < pins[2]


@pytest.fixture
def broker_port(tmp_path, tmp_path_factory) -> Any:
    """A real Mosquitto with the configuration of `deploy/`, in other folders and at other ports."""
    if not Path(MOSQUITTO).exists():
        pytest.skip("Mosquitto is not installed (Debian: apt-get install mosquitto)")
    ports = []
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            ports.append(listening.getsockname()[1])
    text = (DEPLOY / "mosquitto/mosquitto.conf").read_text(encoding="utf-8")
    for old, new in (
        ("/mosquitto/config", str(tmp_path)),
        ("/mosquitto/data", str(tmp_path)),
        ("listener 1883", f"listener {ports[0]}"),
        ("listener 1884", f"listener {ports[1]}"),
    ):
        assert old in text
        text = text.replace(old, new)
    for name in ("acl", "acl.health"):
        shutil.copy(DEPLOY / "mosquitto" / name, tmp_path)
    (tmp_path / "mosquitto.conf").write_text(f"user {_user()}\n{text}", encoding="utf-8")
    for name in ("submeter", "roof"):
        new = ["-c"] if name == "submeter" else []
        subprocess.run(["mosquitto_passwd", "-b", *new, tmp_path / "passwords", name, "word"], check=True)
    log = tmp_path / "log"
    with log.open("w", encoding="utf-8") as file:
        running = subprocess.Popen([MOSQUITTO, "-c", tmp_path / "mosquitto.conf"], stderr=file)
    try:
        for port in ports:
            while not _listens(port):
                assert running.poll() is None, log.read_text(encoding="utf-8")
                os.sched_yield()
        yield ports[0]
    finally:
        running.terminate()
        running.wait()


def _listens(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def _user() -> str:
    import getpass  # noqa: PLC0415 - for this alone

    return getpass.getuser()


def client(port: int, name: str) -> aiomqtt.Client:
    return aiomqtt.Client(
        "127.0.0.1", port, username=name, password="word", protocol=aiomqtt.ProtocolVersion.V5
    )


async def test_a_gateway_writes_under_its_own_name_and_a_worker_reads(broker_port) -> None:
    """By a shared subscription; what it writes under another's name reaches nobody."""
    async with client(broker_port, "submeter") as worker, client(broker_port, "roof") as gateway:
        await worker.subscribe("$share/workers/submeter/v1/+/lines", qos=1)
        await gateway.publish("submeter/v1/cellar/lines", "forged", qos=1)
        await gateway.publish("submeter/v1/roof/lines", "own", qos=1)
        message = await anext(aiter(worker.messages))
        assert (str(message.topic), message.payload) == ("submeter/v1/roof/lines", b"own")


async def test_a_stranger_is_refused(broker_port) -> None:
    """Nobody connects without a password."""
    with pytest.raises(aiomqtt.MqttError):
        async with aiomqtt.Client("127.0.0.1", broker_port, protocol=aiomqtt.ProtocolVersion.V5):
            pass
