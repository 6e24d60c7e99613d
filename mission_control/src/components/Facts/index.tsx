import "./index.css";
import type { ReactNode } from "react";

/** A name and what there is to say about it; null: nothing, and then it is left out. */
export type Fact = readonly [name: string, value: ReactNode];

/** Names and values, in a row or below each other. */
export function Facts({ facts, form = "row" }: FactsProps) {
  return (
    <dl className="facts" data-form={form}>
      {facts.map(([name, value]) =>
        value === null || value === "" ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="untrusted">{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}

interface FactsProps {
  readonly facts: readonly Fact[];
  readonly form?: "row" | "list";
}
