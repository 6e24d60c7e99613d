"""A first agent: run `swarm up --detach`, then this, then `swarm events`."""

import asyncio

import nervous_system as ns


async def main() -> None:
    async with ns.connect() as swarm, swarm.agent("coder-1", role="coder", run_id="r1") as agent:
        with agent.span("refactor auth"):
            decision = await agent.decide(rationale="split adapter", confidence=0.9)
            await agent.change_file(
                "src/auth.py", before=b"old\n", after=b"new\n", caused_by=[decision.event_id]
            )
        await agent.signal("HEALTHY")
        print(f"{agent.emitted_count} events, the decision is #{decision.sequence}")


asyncio.run(main())
