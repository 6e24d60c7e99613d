"""Publishing with fsync before every ack: the SDK beside one awaited `js.publish` at a time.

The baseline publishes finished bytes; ours makes each event through `agent.decide`, so building,
redaction, numbering and encoding are on our side of the scale only.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from statistics import median

import nats
from opentelemetry.sdk.trace import TracerProvider

from cortex.cli.bench.corpus import Corpus, Made
from cortex.cli.bench.measure import paired_ratio, quantile
from cortex.cli.bench.rig import Rig
from nervous_system import Agent, connect

AGENTS = 64
IN_FLIGHT = 32
RATIONALE_CHARACTERS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishFigures:
    """Rates in events per second, a figure per round; times as named."""

    plain: list[float]
    in_flight: list[float]
    waiting: list[float]
    plain_p50_ms: list[float]
    lone_p50_ms: list[float]
    handover_us: float
    handover_p99_us: float
    handover_cpu_us: float
    """CPU of the whole process per event handed over, sending it included, in microseconds."""

    @property
    def ratio(self) -> float:
        """64 agents with 32 publishes each in flight, by one awaited publish at a time."""
        return paired_ratio(self.in_flight, self.plain)

    @property
    def waiting_ratio(self) -> float:
        """64 agents that await every publish, by one awaited publish at a time."""
        return paired_ratio(self.waiting, self.plain)

    @property
    def lone_ratio(self) -> float:
        """p50 of a lone agent's publish, by that of one awaited publish."""
        return paired_ratio(self.lone_p50_ms, self.plain_p50_ms)


async def measure_publish(rig: Rig, count: int, rounds: int) -> PublishFigures:
    """Measure each way in turn, `rounds` times; `count` is what the fastest publishes a round."""
    plain, in_flight, waiting, plain_p50, lone_p50 = [], [], [], [], []
    texts = _texts(2_000)
    for _ in range(rounds):
        times = await _plain_times(rig, max(500, count // 30))
        plain.append(1_000 / (sum(times) / len(times)))
        plain_p50.append(median(times))
        lone_p50.append(median(await _lone_times(rig, max(500, count // 30), texts)))
        in_flight.append(await _crowd_rate(rig, count, IN_FLIGHT, texts))
        waiting.append(await _crowd_rate(rig, max(2_000, count // 3), 1, texts))
    handover, cpu = await _handover_times(rig, max(2_000, count // 10), texts)
    return PublishFigures(
        plain=plain,
        in_flight=in_flight,
        waiting=waiting,
        plain_p50_ms=plain_p50,
        lone_p50_ms=lone_p50,
        handover_us=quantile(handover, 0.5),
        handover_p99_us=quantile(handover, 0.99),
        handover_cpu_us=cpu,
    )


def _texts(count: int) -> list[str]:
    corpus = Corpus(seed=7)
    return [corpus.text(RATIONALE_CHARACTERS)[:RATIONALE_CHARACTERS] for _ in range(count)]


@asynccontextmanager
async def _agents(rig: Rig, count: int) -> AsyncIterator[list[Agent]]:
    async with AsyncExitStack() as stack:
        swarm = await stack.enter_async_context(connect(rig.nats_url, home=rig.home.root))
        yield [
            await stack.enter_async_context(
                swarm.agent(f"bench-{number}", role="coder", run_id="bench")
            )
            for number in range(count)
        ]


async def _plain_times(rig: Rig, count: int) -> list[float]:
    made: list[Made] = list(Corpus(seed=time.time_ns()).decisions(count))
    connection = await nats.connect(rig.nats_url)
    jetstream = connection.jetstream()
    times = []
    for event in made:
        start = time.perf_counter()
        await jetstream.publish(
            event.subject, event.payload, headers={"Nats-Msg-Id": event.event_id}
        )
        times.append((time.perf_counter() - start) * 1_000)
    await connection.close()
    return times


async def _lone_times(rig: Rig, count: int, texts: list[str]) -> list[float]:
    times = []
    async with _agents(rig, 1) as [agent]:
        for number in range(count):
            start = time.perf_counter()
            await agent.decide(rationale=texts[number % len(texts)], wait=True, timeout=30)
            times.append((time.perf_counter() - start) * 1_000)
    return times


async def _crowd_rate(rig: Rig, count: int, in_flight: int, texts: list[str]) -> float:
    each = count // (AGENTS * in_flight)

    async def publish(agent: Agent, lane: int) -> None:
        for number in range(each):
            text = texts[(lane + number) % len(texts)]
            await agent.decide(rationale=text, wait=True, timeout=60)

    async with _agents(rig, AGENTS) as agents:
        start = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for agent in agents:
                for lane in range(in_flight):
                    group.create_task(publish(agent, lane))
        return each * AGENTS * in_flight / (time.perf_counter() - start)


async def _handover_times(rig: Rig, count: int, texts: list[str]) -> tuple[list[float], float]:
    """Return the delay of each handover inside a recording span, and CPU per event, both in µs."""
    tracer = TracerProvider().get_tracer("bench")
    times = []
    async with _agents(rig, 1) as [agent]:
        await asyncio.sleep(0.2)
        cpu = time.process_time()
        with tracer.start_as_current_span("measured"):
            for number in range(count):
                text = texts[number % len(texts)]
                start = time.perf_counter()
                await agent.decide(rationale=text, wait=False)
                times.append((time.perf_counter() - start) * 1e6)
                if number % 20 == 0:
                    # an agent also does other things; the sender needs a turn of the loop
                    await asyncio.sleep(0)
    # the connection is closed: everything was sent
    return times, (time.process_time() - cpu) * 1e6 / count
