import "./index.css";
import {
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { useContainerSize } from "../../hooks/useContainerSize.ts";
import { rowWindow, topToShow } from "../../model/row_window.ts";
import type { SwarmEventView } from "../../types/swarm_event.ts";
import { LogRow } from "../LogRow/index.tsx";
import { ErrorNotice } from "../Notice/index.tsx";

/** Events from before those that arrived live; history answers them in pages. */
export interface Earlier {
  readonly events: readonly SwarmEventView[];
  readonly hasMore: boolean;
  readonly isLoading: boolean;
  readonly error: unknown;
  readonly load: () => void;
  /** They are looked at no longer. */
  readonly release: () => void;
}

interface AgentLogStreamProps {
  /** Oldest first. */
  readonly events: readonly SwarmEventView[];
  readonly earlier: Earlier;
  /** Id of the event that is open. */
  readonly selected: string;
  readonly onOpen: (event: SwarmEventView) => void;
  /** What is shown when there is nothing to show. */
  readonly empty: ReactNode;
  /** The moment that is shown, of a past that is scrubbed through; another one is never held still. */
  readonly at?: number | null;
}

/** What is looked at while more arrives; null: the newest, as they come. */
type Held = { readonly events: readonly SwarmEventView[]; readonly isPaused: boolean } | null;

const ROW = 28;
const TALL_ROW = 46;
const NARROW = 620;
const HEAD = 40;
const NEAR = 2;
const PAGE_ROWS = 20;

/** Everything that happens, as it happens. Scrolling up holds it still; "Jump to now" lets it go on. */
export function AgentLogStream(props: AgentLogStreamProps) {
  const { earlier, selected, onOpen } = props;
  const listId = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const rowsElement = useRef<HTMLDivElement>(null);
  const { width, height: seen } = useContainerSize(scroller);
  const rowHeight = width > 0 && width <= NARROW ? TALL_ROW : ROW;
  const [held, setHeld] = useState<Held>(null);
  const [active, setActive] = useState("");
  /** How far down the first row is scrolled, while the list is held still. */
  const [top, setTop] = useState(0);
  const [heldAt, setHeldAt] = useState(props.at);
  if (heldAt !== props.at) {
    setHeldAt(props.at);
    setHeld(null);
  }
  const shown = held?.events ?? props.events;
  const rows = useMemo(() => joined(earlier.events, shown), [earlier.events, shown]);
  const before = rows.length - shown.length;
  const height = HEAD + rows.length * rowHeight;
  const scrolled = { count: rows.length, rowHeight, height: seen, top: held ? top : null };
  const range = rowWindow(scrolled);
  const end = useKeptEnd(scroller, rowsElement, held === null);
  const noteTop = () => {
    const below = (scroller.current?.scrollTop ?? 0) - HEAD;
    setTop(Math.max(Math.floor(below / rowHeight), 0) * rowHeight);
  };
  useKeptPlace(scroller, before * rowHeight, held !== null, noteTop);

  const isAtStart = held ? top === 0 : height <= seen;
  const hold = (isPaused: boolean) => {
    setHeld({ events: props.events, isPaused });
    noteTop();
  };
  const follow = () => {
    setHeld(null);
    earlier.release();
  };
  const onScroll = () => {
    const element = scroller.current;
    if (!element) return;
    const near = rowHeight * NEAR;
    const isAtEnd = distanceToEnd(element) < near;
    // A list that has just grown is not at its end either, without anybody having scrolled up.
    if (!held && !isAtEnd && element.scrollTop < end.current - near) hold(false);
    else if (held && !held.isPaused && isAtEnd) follow();
    else if (held) noteTop();
    const isNearStart = element.scrollTop < HEAD + rowHeight * NEAR;
    if (held && isNearStart && earlier.hasMore && !earlier.isLoading) earlier.load();
  };
  const scrollTo = (row: number) => {
    const element = scroller.current;
    if (!element) return;
    const to = topToShow(row, { ...scrolled, top: element.scrollTop - HEAD });
    if (to !== null) element.scrollTop = to + HEAD;
  };
  const onKeyDown = (key: KeyboardEvent) => {
    const event = rows[activeIndex(rows, active)];
    if (event && (key.key === "Enter" || key.key === " ")) onOpen(event);
    else {
      const to = movedTo(key.key, activeIndex(rows, active), rows.length);
      const target = to === null ? undefined : rows[to];
      if (to === null || !target) return;
      if (!held && to < rows.length - 1) hold(false);
      setActive(keyOf(target));
      scrollTo(to);
    }
    key.preventDefault();
  };

  return (
    <div className="log-frame">
      {rows.length === 0 && !earlier.isLoading && !earlier.error ? props.empty : null}
      <div
        ref={scroller}
        className="log-stream"
        role="listbox"
        tabIndex={0}
        aria-label="Events"
        aria-activedescendant={active ? listId + active : undefined}
        onScroll={onScroll}
        onKeyDown={onKeyDown}
        hidden={rows.length === 0 && !earlier.isLoading && !earlier.error}
      >
        <div ref={rowsElement} className="log-rows" role="presentation" style={{ height }}>
          {rows.slice(range.from, range.to).map((event, offset) => {
            const index = range.from + offset;
            const key = keyOf(event);
            return (
              <LogRow
                key={key}
                id={listId + key}
                event={event}
                top={HEAD + index * rowHeight}
                height={rowHeight}
                position={index}
                count={rows.length}
                isSelected={selected !== "" && event.id === selected}
                isActive={key === active}
                onOpen={onOpen}
              />
            );
          })}
        </div>
      </div>
      {isAtStart ? <LogHead earlier={earlier} isEmpty={rows.length === 0} /> : null}
      <div className="log-controls" hidden={rows.length === 0}>
        <button
          type="button"
          aria-pressed={held?.isPaused ?? false}
          onClick={() => (held?.isPaused ? follow() : hold(true))}
        >
          {held?.isPaused ? "Resume" : "Pause"}
        </button>
        {held ? (
          <button type="button" className="log-now" onClick={follow}>
            Jump to now{newCount(held, props.events)}
          </button>
        ) : null}
      </div>
    </div>
  );
}

/** Earlier events before the others; history also holds some that are among those already. */
function joined(
  earlier: readonly SwarmEventView[],
  events: readonly SwarmEventView[],
): readonly SwarmEventView[] {
  if (earlier.length === 0) return events;
  const firsts = new Map<string, number>();
  for (const { stream, seq } of events) if (!firsts.has(stream)) firsts.set(stream, seq);
  const before = earlier.filter(({ stream, seq }) => seq < (firsts.get(stream) ?? Infinity));
  return before.length > 0 ? before.concat(events) : events;
}

function LogHead({ earlier, isEmpty }: { readonly earlier: Earlier; readonly isEmpty: boolean }) {
  if (earlier.error) {
    return (
      <div className={isEmpty ? "log-head log-head-alone" : "log-head"}>
        <ErrorNotice error={earlier.error} retry={earlier.load} />
      </div>
    );
  }
  if (!earlier.hasMore && !earlier.isLoading) return null;
  return (
    <div className="log-head">
      <button type="button" className="quiet" onClick={earlier.load} disabled={earlier.isLoading}>
        {earlier.isLoading ? "Loading earlier events…" : "Show earlier events"}
      </button>
    </div>
  );
}

/**
 * The list stays at its end as it grows; returns how far down that was last.
 *
 * The observer is told when the page has been laid out anyway: no flush has to wait for a layout of
 * its own.
 */
function useKeptEnd(
  scroller: RefObject<HTMLDivElement | null>,
  rows: RefObject<HTMLDivElement | null>,
  isFollowing: boolean,
): RefObject<number> {
  const end = useRef(0);
  useLayoutEffect(() => {
    if (!isFollowing || !rows.current || !scroller.current) return;
    const element = scroller.current;
    const observer = new ResizeObserver(() => {
      element.scrollTop = element.scrollHeight;
      end.current = element.scrollTop;
    });
    observer.observe(rows.current);
    observer.observe(element);
    return () => observer.disconnect();
  }, [scroller, rows, isFollowing]);
  return end;
}

/** When more comes in before what is looked at, that stays where it is. */
function useKeptPlace(
  scroller: RefObject<HTMLDivElement | null>,
  before: number,
  isHeld: boolean,
  onMoved: () => void,
): void {
  const last = useRef(before);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is before decides, not who is told
  useLayoutEffect(() => {
    const grown = before - last.current;
    last.current = before;
    if (!isHeld || grown === 0 || !scroller.current) return;
    scroller.current.scrollTop += grown;
    onMoved();
  }, [scroller, before, isHeld]);
}

function newCount(
  held: { readonly events: readonly SwarmEventView[] },
  now: readonly SwarmEventView[],
) {
  const last = held.events.at(-1);
  const count = last ? now.length - 1 - now.lastIndexOf(last) : now.length;
  return count > 0 ? ` (${count.toLocaleString("en")} new)` : "";
}

function keyOf(event: SwarmEventView): string {
  return `${event.stream}-${event.seq}`;
}

/** Without a choice of the reader's own the newest event is it. */
function activeIndex(rows: readonly SwarmEventView[], active: string): number {
  const index = active ? rows.findLastIndex((event) => keyOf(event) === active) : -1;
  return index < 0 ? rows.length - 1 : index;
}

function movedTo(key: string, from: number, count: number): number | null {
  const to: Readonly<Record<string, number>> = {
    ArrowUp: from - 1,
    ArrowDown: from + 1,
    PageUp: from - PAGE_ROWS,
    PageDown: from + PAGE_ROWS,
    Home: 0,
    End: count - 1,
  };
  const index = to[key];
  return index === undefined ? null : Math.min(Math.max(index, 0), count - 1);
}

function distanceToEnd(element: HTMLElement): number {
  return element.scrollHeight - element.scrollTop - element.clientHeight;
}
