import "./index.css";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useEffect, useRef } from "react";
import { durationText } from "../../model/amounts.ts";
import { CATEGORY_NAMES, categoryOf } from "../../model/event_category.ts";
import { nameOf, signOf } from "../../model/kinds.ts";
import { safeLine } from "../../model/safe_text.ts";
import {
  type PlacedEvent,
  ticksOf,
  type Waterfall as WaterfallModel,
  type WaterfallRow,
} from "../../model/waterfall.ts";

interface WaterfallProps {
  readonly waterfall: WaterfallModel;
  readonly selectedSpan: string;
  readonly selectedEvent: string;
  readonly onSpan: (spanId: string) => void;
  readonly onEvent: (eventId: string) => void;
}

const ROW_PX = 26;
const OVERSCAN = 20;
const NAME_LENGTH = 120;
const TICKS = 6;

/** The spans of a trace as bars over time, with the events in them at their instants. */
export function Waterfall(props: WaterfallProps) {
  const { waterfall, selectedSpan } = props;
  const { rows, loose, durationMs } = waterfall;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
  });
  const at = rows.findIndex((row) => row.span.span_id === selectedSpan);
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at);
  }, [at, virtual]);
  const onKeyDown = (event: KeyboardEvent) => {
    const to = rows[rowOfKey(event.key, at, rows.length)];
    if (to === undefined) return;
    event.preventDefault();
    props.onSpan(to.span.span_id);
  };
  return (
    <div className="waterfall">
      <div className="waterfall-axis" aria-hidden="true">
        <span>Span</span>
        <div className="waterfall-ticks">
          {ticksOf(durationMs, TICKS).map((tick) => (
            <span key={tick} style={{ left: percent(durationMs > 0 ? tick / durationMs : 0) }}>
              {tick === 0 ? "0" : durationText(tick)}
            </span>
          ))}
        </div>
      </div>
      {loose.length > 0 ? (
        <div className="waterfall-row waterfall-loose">
          <span className="waterfall-name soft">Outside of ended spans</span>
          <div className="waterfall-track">
            <Events {...props} events={loose} />
          </div>
        </div>
      ) : null}
      <div
        ref={scroller}
        className="waterfall-rows"
        role="listbox"
        tabIndex={0}
        aria-label={`${rows.length} spans`}
        aria-activedescendant={at >= 0 ? `span-${selectedSpan}` : undefined}
        onKeyDown={onKeyDown}
      >
        <div style={{ height: virtual.getTotalSize() }} role="presentation">
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = rows[index];
            return row === undefined ? null : (
              <Row key={row.span.span_id} {...props} row={row} top={start} />
            );
          })}
        </div>
      </div>
    </div>
  );
}

interface RowProps extends WaterfallProps {
  readonly row: WaterfallRow;
  readonly top: number;
}

function Row(props: RowProps) {
  const { row, top, selectedSpan, onSpan } = props;
  const { span } = row;
  const name = safeLine(span.name, NAME_LENGTH) || "(no name)";
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list takes the keys for all of its rows
    // biome-ignore lint/a11y/useFocusableInteractive: the list has the focus, and names the row
    <div
      id={`span-${span.span_id}`}
      className="waterfall-row"
      role="option"
      aria-selected={span.span_id === selectedSpan}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => onSpan(span.span_id)}
    >
      <span
        className="waterfall-name untrusted line"
        style={{ paddingLeft: Math.min(row.depth, 16) * 12 }}
        title={name}
      >
        {row.isError ? (
          <b className="waterfall-failed">
            <span aria-hidden="true">✕ </span>
            <span className="visually-hidden">failed: </span>
          </b>
        ) : null}
        {name}
      </span>
      <div className="waterfall-track">
        <i
          className="waterfall-bar"
          data-failed={row.isError}
          style={{ left: percent(row.start), width: percent(row.share) }}
        />
        <span
          className="waterfall-duration"
          data-side={row.start + row.share > 0.8 ? "left" : "right"}
          style={
            row.start + row.share > 0.8
              ? { right: percent(1 - row.start) }
              : { left: percent(row.start + row.share) }
          }
        >
          {durationText(row.durationMs)}
          <span className="visually-hidden">, {row.events.length} events</span>
        </span>
        <Events {...props} events={row.events} />
      </div>
    </div>
  );
}

interface EventsProps extends WaterfallProps {
  readonly events: readonly PlacedEvent[];
}

/** For the pointer only: the page lists the same events as links. */
function Events({ events, selectedEvent, onEvent }: EventsProps) {
  return events.map(({ event, at }) => (
    <span
      key={`${event.stream}${event.seq}`}
      aria-hidden="true"
      className="waterfall-event"
      data-category={CATEGORY_NAMES[categoryOf(event.kind)]}
      data-failed={event.isError}
      data-selected={event.id === selectedEvent}
      style={{ left: percent(at) }}
      title={`${nameOf(event.kind)}: ${event.summary}`}
      onClick={(click) => {
        click.stopPropagation();
        onEvent(event.id);
      }}
    >
      <svg viewBox="0 0 16 16" width="11" height="11" aria-hidden="true">
        <path d={signOf(event.kind)} />
      </svg>
    </span>
  ));
}

function percent(share: number): string {
  return `${(share * 100).toFixed(3)}%`;
}

function rowOfKey(key: string, at: number, count: number): number {
  switch (key) {
    case "ArrowDown":
      return Math.min(at + 1, count - 1);
    case "ArrowUp":
      return Math.max(at - 1, 0);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return -1;
  }
}
