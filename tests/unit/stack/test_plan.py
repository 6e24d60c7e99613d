from collections.abc import Mapping
from pathlib import Path

from infrastructure.stack.credentials import DASHBOARD_TOKEN, HISTORY_USERS
from infrastructure.stack.permissions import USER_NAMES
from infrastructure.stack.plan import StackPlan
from infrastructure.stack.ports import USUAL_PORTS
from nervous_system.home import Home


def plan_with(environment: Mapping[str, str]) -> StackPlan:
    return StackPlan(
        home=Home(Path("/h")),
        ports=USUAL_PORTS,
        credentials=dict.fromkeys([*USER_NAMES, *HISTORY_USERS, DASHBOARD_TOKEN], "p"),
        max_stream_bytes=1,
        environment=environment,
    )


def test_bus_collects_its_garbage_less_often_below_a_limit_of_memory() -> None:
    environment = plan_with({"PATH": "/bin"}).nats().environment
    assert (environment["GOGC"], environment["GOMEMLIMIT"]) == ("400", "1GiB")
    assert environment["PATH"] == "/bin"


def test_what_the_user_has_set_for_it_stays() -> None:
    environment = plan_with({"GOGC": "50", "GOMEMLIMIT": "off"}).nats().environment
    assert (environment["GOGC"], environment["GOMEMLIMIT"]) == ("50", "off")


def test_other_processes_do_not_get_its_settings() -> None:
    for spec in (plan_with({}).history(), plan_with({}).ingestor()):
        assert "GOGC" not in spec.environment


def test_dashboard_stays_on_the_loopback_whatever_the_environment_says() -> None:
    wider = {"SWARM_DASHBOARD_HOST": "0.0.0.0", "SWARM_DASHBOARD_TLS_CERT": "c.pem"}
    environment = plan_with(wider).dashboard().environment
    assert environment["SWARM_DASHBOARD_HOST"] == "127.0.0.1"
    assert environment["SWARM_DASHBOARD_TLS_CERT"] == ""


def test_dashboard_reads_history_as_a_reader_and_the_bus_as_its_own_user() -> None:
    environment = plan_with({}).dashboard().environment
    assert "//history_reader:" in environment["SWARM_CLICKHOUSE_DSN"]
    assert "//dashboard:" in environment["SWARM_NATS_URL"]


def test_only_pages_of_the_dashboard_may_use_the_websocket() -> None:
    plan = plan_with({})
    assert plan.dashboard_origin in plan.nats_config().websocket_origins
    assert all(origin.startswith("http://") for origin in plan.nats_config().websocket_origins)
