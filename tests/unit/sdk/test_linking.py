import pytest

from nervous_system.telemetry.linking import (
    Link,
    build_carrier,
    build_environment,
    format_traceparent,
    parse_traceparent,
    read_carrier,
)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
CAUSE = "01939f2c-7b1e-7c3a-9d52-0a6f3f7be000"
OTHER = "01939f2c-7b1e-7c3a-9d52-0a6f3f7be001"
LINK = Link(
    trace_id=TRACE, span_id=SPAN, flags=1, tracestate="a=b", caused_by=(CAUSE, OTHER), run_id="r1"
)


def test_traceparent_has_the_form_of_the_standard() -> None:
    assert format_traceparent(TRACE, SPAN) == f"00-{TRACE}-{SPAN}-01"


def test_carrier_gives_the_link_back() -> None:
    assert read_carrier(build_carrier(LINK)) == LINK


def test_environment_of_a_child_gives_the_link_back() -> None:
    environment = build_environment(build_carrier(LINK))
    assert environment["TRACEPARENT"] == f"00-{TRACE}-{SPAN}-01"
    assert read_carrier(environment) == LINK


def test_message_is_a_cause_of_what_its_reader_does() -> None:
    headers = {"Nats-Msg-Id": CAUSE, "traceparent": f"00-{TRACE}-{SPAN}-00"}
    link = read_carrier(headers)
    assert (link.caused_by, link.trace_id, link.flags) == ((CAUSE,), TRACE, 0)


def test_nothing_outside_a_span_makes_no_traceparent() -> None:
    assert build_carrier(Link(run_id="r1")) == {"swarm-run": "r1"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        f"00-{TRACE}-{SPAN}",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
    ],
)
def test_malformed_traceparent_is_left_out(text: str) -> None:
    assert parse_traceparent(text) is None
    assert not read_carrier({"traceparent": text}).is_traced


def test_traceparent_of_a_later_version_is_understood() -> None:
    assert parse_traceparent(f"01-{TRACE}-{SPAN}-01-more") == (TRACE, SPAN, 1)


def test_malformed_cause_is_left_out() -> None:
    assert read_carrier({"swarm-caused-by": f"x, {CAUSE} ,"}).caused_by == (CAUSE,)
