/** Components that ask the API, with answers of a test's own. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { vi } from "vitest";
import { traceApi } from "../services/trace_api.ts";

type Answers = Partial<Record<keyof typeof traceApi, unknown>>;

/** Show something for which the API answers as told; what is an error is refused. */
export function renderWith(answers: Answers, shown: ReactNode) {
  for (const [name, answer] of Object.entries(answers)) {
    const asked = vi.spyOn(traceApi, name as keyof typeof traceApi);
    asked.mockImplementation(() =>
      answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer as never),
    );
  }
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(<QueryClientProvider client={client}>{shown}</QueryClientProvider>);
}

/** Give every element a size: a list that is not laid out has no room for lines. */
export function layOut(): void {
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(400);
  vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(300);
}

/** What looks like markup, turns the direction of writing, and rings. */
export const HOSTILE = "<img src=x>\u202egnp\u0007";
export const HARMLESS = "<img src=x>‹U+202E›gnp␇";
