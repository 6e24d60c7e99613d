"""A first agent: run `swarm up --detach`, then this, then `swarm events`."""

import asyncio

import nervous_system as ns


async def main() -> None:
    async with ns.connect() as swarm, swarm.agent("coder-1", role="coder", run_id="r1") as agent:
        with agent.span("refactor auth"):  # an OTel span; events made inside carry its ids
            decision = await agent.decide(
                rationale="split adapter", rejected_alternatives=["rewrite"], confidence=0.9
            )
            await agent.change_file(
                "src/auth.py", before=b"old\n", after=b"new\n", caused_by=[decision.event_id]
            )
        await agent.signal("HEALTHY")


asyncio.run(main())
