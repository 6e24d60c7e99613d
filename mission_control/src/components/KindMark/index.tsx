import "./index.css";
import { CATEGORY_NAMES, categoryOf } from "../../model/event_category.ts";
import { nameOf, signOf } from "../../model/kinds.ts";
import type { Kind } from "../../types/swarm_event.ts";

/** The sort of an event: a sign and a word. */
export function KindMark({ kind }: { readonly kind: Kind }) {
  return (
    <span className="kind-mark" data-category={CATEGORY_NAMES[categoryOf(kind)]}>
      <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
        <path d={signOf(kind)} />
      </svg>
      <span className="line">{nameOf(kind)}</span>
    </span>
  );
}
