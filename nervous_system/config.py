"""Settings of the nervous system; the only module here that reads the environment.

`SwarmConfig.from_env` takes the environment as a mapping. Where `SWARM_NATS_URL` is unset, the
running stack of the home says where the bus is. The standard `OTEL_*` variables that only concern
the exporter are read by OpenTelemetry.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from nervous_system.errors import ConfigError
from nervous_system.home import Home, find_home, read_json
from nervous_system.telemetry.own_patterns import parse_patterns
from nervous_system.telemetry.secret_finding import use_own_patterns

DEFAULT_SPOOL_BYTES = 256 * 1024 * 1024
MAX_PAYLOAD_BYTES = 8 * 1024 * 1024
HEADROOM_BYTES = 64 * 1024  # what headers and the batch protocol add to a payload
CARRIER_VARIABLES = ("TRACEPARENT", "TRACESTATE", "SWARM_CAUSED_BY")

_Choice = TypeVar("_Choice", bound=Enum)
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")


class SpoolPolicy(Enum):
    """What happens to an event that the full spool has no room for."""

    BLOCK = "block"
    """The call waits for room. The default."""
    REFUSE = "refuse"
    """SpoolFullError, before the event is numbered."""
    DROP = "drop"
    """The event is dropped and counted."""


class SpanExport(Enum):
    """Where spans go."""

    AUTO = "auto"
    """Where OTEL_EXPORTER_OTLP_ENDPOINT says, else to the home's stack, else nowhere."""
    OTLP = "otlp"
    """As AUTO, and to OpenTelemetry's default address where neither is known."""
    CONSOLE = "console"
    """Standard output, for debugging."""
    NONE = "none"
    """Nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolConfig:
    """The bounded store on disk that keeps events while the bus is away."""

    directory: Path
    """Directory of all spools of a home; each process writes into one of its own below it."""
    max_bytes: int = DEFAULT_SPOOL_BYTES
    """Room for the events of one process, in bytes (SWARM_SPOOL_BYTES); hours of a busy agent."""
    policy: SpoolPolicy = SpoolPolicy.BLOCK
    """What a full spool does (SWARM_SPOOL_POLICY); block, since nothing may be lost unasked."""
    sync_interval: timedelta = timedelta(milliseconds=500)
    """How long a write may stay unsynced; the promise is a second."""

    def __post_init__(self) -> None:
        if self.max_bytes < 1024 * 1024:
            raise ConfigError(
                variable="SWARM_SPOOL_BYTES",
                given=str(self.max_bytes),
                expected="at least 1048576 bytes",
                fix="raise it or leave it unset",
            )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BusConfig:
    """How the bus is reached and what calls wait for."""

    url: str
    """One or more nats:// URLs, separated by commas, with user and password (SWARM_NATS_URL)."""
    name: str = "enchanted-swarm"
    """Name of the connection, as nats-server shows it."""
    connect_timeout: timedelta = timedelta(seconds=2)
    """For one attempt to connect."""
    publish_timeout: timedelta = timedelta(seconds=5)
    """How long a publishing call waits for its ack where the caller gives no timeout."""
    close_timeout: timedelta = timedelta(seconds=5)
    """How long closing waits for acks; what is left stays in the spool."""
    max_payload_bytes: int = MAX_PAYLOAD_BYTES - HEADROOM_BYTES
    """Largest event; the shipped server takes 8 MiB with headers."""
    spool: SpoolConfig | None = None
    """Where events stay while the bus is away; None: nowhere, publishing then raises."""

    def __post_init__(self) -> None:
        if not self.url:
            raise ConfigError(
                variable="SWARM_NATS_URL",
                given="",
                expected="nats://HOST:PORT",
                fix="start a stack with `swarm up`, or set it",
            )
        for one in self.url.split(","):
            if not re.match(r"(?:nats|tls|ws|wss)://[^/\s]", one.strip()):
                raise ConfigError(
                    variable="SWARM_NATS_URL",
                    given=without_password(one),
                    expected="nats://HOST:PORT",
                    fix="write it with its scheme",
                )

    def __repr__(self) -> str:
        url = without_password(self.url)
        return f"BusConfig(url={url!r}, name={self.name!r}, spool={self.spool!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetryConfig:
    """Spans and redaction."""

    export: SpanExport = SpanExport.AUTO
    """Where spans go (OTEL_TRACES_EXPORTER, OTEL_SDK_DISABLED)."""
    is_endpoint_set: bool = False
    """OTEL_EXPORTER_OTLP_ENDPOINT or its traces form is set; the exporter reads it itself."""
    stack_url: str = ""
    """OTLP/HTTP address of the home's stack, without `/v1/traces`; empty: none runs."""
    service_name: str = "enchanted-swarm"
    """`service.name` of the spans (OTEL_SERVICE_NAME)."""
    is_redacting: bool = True
    """Take secrets out of text about the work (SWARM_REDACT=0 switches it off)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwarmConfig:
    """All that `connect` needs to know."""

    home: Home
    """Where the spool and the redaction key lie."""
    bus: BusConfig
    telemetry: TelemetryConfig = field(default_factory=TelemetryConfig)
    agent_id: str = ""
    """Agent id for agents that are given none (SWARM_AGENT)."""
    run_id: str = ""
    """Run id for agents that are given none (SWARM_RUN); empty: a new one for each connection."""
    carrier: Mapping[str, str] = field(default_factory=dict)
    """What the parent process handed down (TRACEPARENT, TRACESTATE, SWARM_CAUSED_BY)."""

    @classmethod
    def from_env(
        cls,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        home: Path | None = None,
        url: str | None = None,
    ) -> "SwarmConfig":
        """Read the environment (the process's by default) and the home's running stack.

        Args:
            environment: stands in for the process's environment.
            cwd: where the search for the nearest `.swarm/` begins; by default here.
            home: the home itself, before `SWARM_HOME` and the search.
            url: of the bus, before `SWARM_NATS_URL` and the running stack.

        Raises:
            ConfigError: a variable cannot be used, or nothing says where the bus is.
        """
        values = os.environ if environment is None else environment
        found = find_home(values, cwd or Path.cwd(), home)
        use_configured_patterns(values, found)
        stack = found.stack() or {}
        spool = SpoolConfig(
            directory=found.spool,
            max_bytes=_integer(values, "SWARM_SPOOL_BYTES", DEFAULT_SPOOL_BYTES),
            policy=_choice(values, "SWARM_SPOOL_POLICY", SpoolPolicy.BLOCK),
        )
        return cls(
            home=found,
            bus=BusConfig(url=url or bus_url(values, stack) or resting_url(found), spool=spool),
            telemetry=_telemetry(values, stack),
            agent_id=values.get("SWARM_AGENT", ""),
            run_id=values.get("SWARM_RUN", ""),
            carrier={name: values[name] for name in CARRIER_VARIABLES if values.get(name)},
        )


def use_configured_patterns(environment: Mapping[str, str], home: Home) -> None:
    """Look for the user's own secrets too, from now on in this process.

    Args:
        environment: `SWARM_REDACT_PATTERNS` names a file; without it the home's `redaction.json`.
        home: where that is looked for; none there: no patterns.

    Raises:
        ConfigError: the named file is missing, or what a file holds cannot be used.
    """
    named = environment.get("SWARM_REDACT_PATTERNS", "")
    path = Path(named) if named else home.own_patterns_file
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        if named:
            raise ConfigError(
                variable="SWARM_REDACT_PATTERNS",
                given=named,
                expected="a file of patterns",
                fix="correct or unset it",
            ) from error
        use_own_patterns({})
        return
    use_own_patterns(parse_patterns(text, str(path)))


def bus_url(environment: Mapping[str, str], stack: Mapping[str, Any]) -> str:
    """Return the bus that agents use: SWARM_NATS_URL, else the running stack's, else nothing."""
    named = environment.get("SWARM_NATS_URL") or stack.get("agent_nats_url")
    return str(named or stack.get("nats_url") or "")


def resting_url(home: Home) -> str:
    """Return where the home's stack was the last time, and will be again; empty if there was none.

    With it, agents that start while the stack is down keep their events in the spool.
    """
    ports = (read_json(home.settings_file) or {}).get("ports", {})
    password = home.credentials().get("agent")
    if not password or "nats" not in ports:
        return ""
    return f"nats://agent:{password}@127.0.0.1:{ports['nats']}"


def without_password(url: str) -> str:
    """Return `url` with user and password hidden."""
    return _USER_INFO.sub("***", url)


def _telemetry(values: Mapping[str, str], stack: Mapping[str, Any]) -> TelemetryConfig:
    export = _choice(values, "OTEL_TRACES_EXPORTER", SpanExport.AUTO)
    if values.get("OTEL_SDK_DISABLED", "").lower() == "true":
        export = SpanExport.NONE
    return TelemetryConfig(
        export=export,
        is_endpoint_set=bool(
            values.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
            or values.get("OTEL_EXPORTER_OTLP_ENDPOINT")
        ),
        stack_url=str(stack.get("otlp_url") or ""),
        service_name=values.get("OTEL_SERVICE_NAME") or "enchanted-swarm",
        is_redacting=values.get("SWARM_REDACT", "1") != "0",
    )


def _integer(values: Mapping[str, str], variable: str, default: int) -> int:
    given = values.get(variable, "")
    if not given:
        return default
    if not given.isdecimal():
        raise ConfigError(
            variable=variable, given=given, expected="a number of bytes", fix="write digits only"
        )
    return int(given)


def _choice(values: Mapping[str, str], variable: str, default: _Choice) -> _Choice:
    given = values.get(variable, "").strip().lower()
    if not given:
        return default
    try:
        return type(default)(given)
    except ValueError as error:
        names = ", ".join(str(one.value) for one in type(default))
        raise ConfigError(
            variable=variable, given=given, expected=f"one of {names}", fix="correct or unset it"
        ) from error
