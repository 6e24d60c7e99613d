"""docker-compose.yml and what it mounts, as far as that can be checked without containers."""

import importlib.util
import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

from cortex.cli.app import COMMANDS, load_command
from cortex.cli.session import Session
from infrastructure.stack.nats_config import render_container_users
from mission_control.server.config import DashboardConfig
from tests.support.compose import (
    COMPOSE_FILE,
    NATS_FILES,
    ROOT,
    VARIABLE,
    environment_of,
    example_variables,
    load_compose,
    passwords,
)
from tests.support.servers import nats_server_binary

SERVICES: dict[str, dict[str, Any]] = load_compose()["services"]
OURS = [name for name, service in SERVICES.items() if service.get("image") == "enchanted-swarm"]
CLUSTER = [name for name, service in SERVICES.items() if service.get("profiles") == ["cluster"]]
SOURCES = [
    path
    for part in ("nervous_system", "infrastructure", "mission_control/server")
    for path in ROOT.glob(f"{part}/**/*.py")
]
PASSING_ON = ROOT / "infrastructure" / "stack" / "plan.py"
COMPOSE_VARIABLES = {"COMPOSE_PROFILES"}


def test_the_promised_services_are_there() -> None:
    assert {"nats", "clickhouse", "jaeger", "ingestor", "dashboard"} <= set(SERVICES)
    assert len(CLUSTER) == 3


def test_every_variable_of_the_file_is_in_the_example_and_the_other_way_round() -> None:
    used = {match.group(1) for match in VARIABLE.finditer(COMPOSE_FILE.read_text(encoding="utf-8"))}
    assert used == set(example_variables()) - COMPOSE_VARIABLES


@pytest.mark.parametrize("service", OURS)
def test_every_setting_of_our_services_is_read_by_our_code(service: str) -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in SOURCES if path != PASSING_ON)
    settings = SERVICES[service]["environment"]
    assert [name for name in settings if f'"{name}"' not in code] == []


@pytest.mark.parametrize("service", OURS)
def test_every_command_line_is_one_of_ours(service: str) -> None:
    program, *arguments = SERVICES[service]["command"]
    if program == "python":
        assert arguments[0] == "-m"
        assert importlib.util.find_spec(arguments[1]) is not None
        return
    assert program == "swarm"
    assert arguments[0] in COMMANDS
    command = load_command(arguments[0])
    command.make_context(arguments[0], arguments[1:], obj=Session({}, Path.cwd()))


@pytest.mark.parametrize("service", SERVICES)
def test_ports_are_published_on_loopback_only(service: str) -> None:
    ports = SERVICES[service].get("ports", [])
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports)


@pytest.mark.parametrize("service", SERVICES)
def test_mounted_files_and_build_files_exist(service: str) -> None:
    mounts = [volume.split(":")[0] for volume in SERVICES[service].get("volumes", [])]
    files = [mount for mount in mounts if mount.startswith("./")]
    build = SERVICES[service].get("build", {})
    assert all((ROOT / file).exists() for file in [*files, build.get("dockerfile", ".")])
    assert {mount for mount in mounts if mount not in files} <= set(load_compose()["volumes"])


@pytest.mark.parametrize("service", SERVICES)
def test_services_depend_on_services(service: str) -> None:
    assert set(SERVICES[service].get("depends_on", {})) <= set(SERVICES)


def test_no_host_port_is_published_twice_in_one_profile() -> None:
    for profile in ("single", "cluster"):
        ports = [
            port.split(":")[1]
            for service in SERVICES.values()
            if service.get("profiles", [profile]) == [profile]
            for port in service.get("ports", [])
        ]
        assert len(ports) == len(set(ports)), profile


@pytest.mark.parametrize("service", ["nats", *CLUSTER])
def test_nats_server_accepts_the_configuration(service: str) -> None:
    """`nats-server -t` on the mounted file, with exactly the environment of the container."""
    binary = nats_server_binary()
    assert binary is not None
    option, path = SERVICES[service]["command"]
    assert option == "-c"
    done = subprocess.run(
        [binary, "-t", "-c", NATS_FILES / Path(path).name],
        env=environment_of(service, passwords()),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "is valid" in done.stderr


def test_users_of_the_containers_are_those_of_the_embedded_stack() -> None:
    written = (NATS_FILES / "users.conf").read_text(encoding="utf-8")
    assert written == render_container_users()


def test_missing_password_is_refused_by_nats_server() -> None:
    """An unset variable is an error, not an empty password."""
    environment = environment_of("nats", passwords())
    del environment["SWARM_NATS_AGENT_PASSWORD"]
    done = subprocess.run(
        [nats_server_binary() or "", "-t", "-c", NATS_FILES / "server.conf"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "SWARM_NATS_AGENT_PASSWORD" in done.stderr


def test_every_ack_of_the_containers_means_on_disk() -> None:
    assert "sync_interval: always" in (NATS_FILES / "server.conf").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["config.d/swarm.xml", "users.d/swarm.xml"])
def test_clickhouse_files_parse_and_their_variables_are_passed(name: str) -> None:
    tree = ET.parse(ROOT / "infrastructure" / "clickhouse" / name)
    assert tree.getroot().tag == "clickhouse"
    wanted = {element.attrib["from_env"] for element in tree.iter() if "from_env" in element.attrib}
    assert wanted
    assert wanted <= set(SERVICES["clickhouse"]["environment"])


def test_clickhouse_reader_is_limited_and_read_only() -> None:
    tree = ET.parse(ROOT / "infrastructure" / "clickhouse" / "users.d" / "swarm.xml")
    profile = tree.find("profiles/swarm_reader")
    assert profile is not None
    values = {element.tag: element.text for element in profile}
    assert values["readonly"] == "2"
    constraints = profile.find("constraints")
    assert constraints is not None
    limited = {element.tag for element in constraints}
    assert {"max_execution_time", "max_memory_usage", "max_result_rows"} <= limited
    grants = [element.text or "" for element in tree.findall("users/history_reader/grants/query")]
    assert grants
    assert all(grant.startswith("GRANT SELECT ON ") for grant in grants)


def test_jaeger_configuration_parses_and_its_parts_are_defined() -> None:
    text = (ROOT / "infrastructure" / "jaeger" / "config.yaml").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    pipeline = document["service"]["pipelines"]["traces"]
    for kind in ("receivers", "processors", "exporters"):
        assert set(pipeline[kind]) <= set(document[kind])
    assert set(document["service"]["extensions"]) <= set(document["extensions"])


def test_the_example_holds_no_password() -> None:
    secret = [name for name in example_variables() if name.endswith("_PASSWORD")]
    assert len(secret) == 8
    assert [name for name in secret if example_variables()[name]] == []


def test_the_dashboard_starts_with_exactly_the_environment_of_its_container() -> None:
    config = DashboardConfig.from_env(environment_of("dashboard", passwords()))
    assert config.bus_access is not None
    assert (config.bus_access["user"], config.host) == ("dashboard", "0.0.0.0")
    assert "SWARM_DASHBOARD_TOKEN" not in repr(config)
