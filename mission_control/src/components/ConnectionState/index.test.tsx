import { render, screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import * as live from "../../hooks/useEventStream.ts";
import type { Connection } from "../../types/live.ts";
import { milliseconds } from "../../types/units.ts";
import { ConnectionState } from "./index.tsx";

const state = (fields: Partial<Connection>): Connection => ({
  phase: "live",
  pending: 0,
  skipped: 0,
  reason: "",
  since: milliseconds(0),
  ...fields,
});

it.each([
  [{}, "Live"],
  [{ skipped: 51_000 }, "Live, 51k passed over"],
  [{ phase: "behind", pending: 4_200 }, "4k behind"],
  [{ phase: "lost", skipped: 51_000 }, "Lost, reconnecting…"],
] as const)("the connection %o reads %s", (fields, words) => {
  vi.spyOn(live, "useConnection").mockReturnValue(state(fields));
  render(<ConnectionState />);
  expect(screen.getByRole("status").textContent).toBe(words);
});
