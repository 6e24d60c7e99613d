/** Events for tests, built as they arrive: from bytes. */

import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { AgentRole, SwarmEventSchema } from "../gen/enchanted/events/v1/events_pb.ts";
import { viewOfBytes } from "../model/event_view.ts";
import type { SwarmEventView } from "../types/swarm_event.ts";
import { sequence } from "../types/units.ts";

type PayloadInit = NonNullable<MessageInitShape<typeof SwarmEventSchema>["payload"]> | object;

let made = 0;

/** Bytes of an event of agent `a`, at the given time, with an id of its own. */
export function eventBytes(
  payload: PayloadInit,
  agentId = "a",
  atMs = 1_000,
  role: AgentRole = AgentRole.ROLE_CODER,
): Uint8Array {
  made += 1;
  const event = create(SwarmEventSchema, {
    eventId: `01939f2c-7b1e-7c3a-9d52-${made.toString(16).padStart(12, "0")}`,
    timestamp: { seconds: BigInt(Math.floor(atMs / 1_000)), nanos: (atMs % 1_000) * 1_000_000 },
    agentRole: role,
    agentId,
    runId: "run",
    ...("case" in payload ? { payload: payload as never } : {}),
  });
  return toBinary(SwarmEventSchema, event);
}

/** The view of such an event; each has the next sequence. */
export function agentEvent(...args: Parameters<typeof eventBytes>): SwarmEventView {
  const bytes = eventBytes(...args);
  return viewOfBytes(bytes, { stream: "S", seq: sequence(made), subject: "swarm.events.coder.x" });
}

/** The view of a signal. */
export function signal(status: string, cpu: number, detail = "", agentId = "a"): SwarmEventView {
  const value = { status, cpuLoadPercent: cpu, memoryUsageMb: 1, detail };
  return agentEvent({ case: "systemSignal", value }, agentId);
}
