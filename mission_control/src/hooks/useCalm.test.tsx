import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useCalm } from "./useCalm.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("shows a change at once, and those that follow it at its own pace", () => {
  const calm = renderHook(({ value }) => useCalm(value, 250), { initialProps: { value: 0 } });
  const shown: number[] = [];
  for (let value = 1; value <= 10; value += 1) {
    calm.rerender({ value });
    shown.push(calm.result.current);
    act(() => void vi.advanceTimersByTime(100));
  }
  act(() => void vi.advanceTimersByTime(250));
  expect(shown).toEqual([1, 1, 1, 3, 3, 5, 5, 5, 8, 8]);
  expect(calm.result.current).toBe(10);
});
