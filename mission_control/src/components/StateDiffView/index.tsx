import "./index.css";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useMemo, useRef, useState } from "react";
import { useMediaQuery } from "../../hooks/useMediaQuery.ts";
import { usePieces } from "../../hooks/usePieces.ts";
import { usePreference } from "../../hooks/usePreference.ts";
import { languageOf } from "../../model/language.ts";
import {
  type DiffLine,
  diffTexts,
  type Folded,
  fold,
  pairLines,
  type TextDiff,
} from "../../model/text_diff.ts";
import { CodeLine } from "../CodeLine/index.tsx";
import { Empty } from "../Notice/index.tsx";

interface StateDiffViewProps {
  /** Name of the resource: tells the language. */
  readonly name: string;
  readonly before: string;
  readonly after: string;
  /** Called with a line of the text after; lines are no buttons without it. */
  readonly onLine?: (line: number) => void;
  /** The line of the text after that is selected. */
  readonly line?: number | null;
}

type Layout = "inline" | "beside";
const LAYOUTS: readonly Layout[] = ["inline", "beside"];
const CONTEXT = 4;
const LINE_PX = 20;
const OVERSCAN = 30;
const WIDE = "(min-width: 900px)";

/** What differs between two moments of a resource: inline or side by side, in the language's colours. */
export function StateDiffView({ name, before, after, onLine, line = null }: StateDiffViewProps) {
  const [wanted, setLayout] = usePreference<Layout>("diff-layout", LAYOUTS, "inline");
  const layout = useMediaQuery(WIDE) ? wanted : "inline";
  const [isWhole, setWhole] = useState(false);
  const diff = useMemo(() => diffTexts(before, after), [before, after]);
  const language = languageOf(name);
  const colours = {
    before: usePieces(before, language),
    after: usePieces(after, language),
  };
  const isSame = diff.added + diff.removed === 0;
  return (
    <section className="state-diff" aria-label="Comparison">
      <div className="state-diff-bar">
        <span className="state-diff-counts">
          <b className="state-diff-added">+{diff.added}</b>{" "}
          <b className="state-diff-removed">−{diff.removed}</b>
          <span className="visually-hidden"> lines added and removed</span>
        </span>
        {diff.isExact ? null : <span className="faint">too different to compare line by line</span>}
        <fieldset className="state-diff-choices">
          <legend className="visually-hidden">Layout</legend>
          {LAYOUTS.map((one) => (
            <button
              key={one}
              type="button"
              className="quiet state-diff-layout"
              aria-pressed={layout === one}
              onClick={() => setLayout(one)}
            >
              {one === "inline" ? "Inline" : "Side by side"}
            </button>
          ))}
          <button
            type="button"
            className="quiet"
            aria-pressed={isWhole || isSame}
            disabled={isSame}
            onClick={() => setWhole(!isWhole)}
          >
            Whole file
          </button>
        </fieldset>
      </div>
      {diff.lines.length === 0 ? (
        <Empty title="Empty at both moments" />
      ) : (
        <Lines
          diff={diff}
          layout={layout}
          isWhole={isWhole || isSame}
          colours={colours}
          line={line}
          {...(onLine ? { onLine } : {})}
        />
      )}
    </section>
  );
}

type Pieces = ReturnType<typeof usePieces>;
interface LinesProps {
  readonly diff: TextDiff;
  readonly layout: Layout;
  readonly isWhole: boolean;
  readonly colours: { readonly before: Pieces; readonly after: Pieces };
  readonly line: number | null;
  readonly onLine?: (line: number) => void;
}

function Lines(props: LinesProps) {
  const { diff, layout, isWhole, line } = props;
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const scroller = useRef<HTMLDivElement>(null);
  const pairs = useMemo(
    () =>
      layout === "beside"
        ? pairLines(diff.lines)
        : diff.lines.map((one) => ({ before: one, after: one })),
    [diff, layout],
  );
  const shown = useMemo(() => {
    const differs = (index: number) => {
      const pair = pairs[index];
      const isAsked = line !== null && pair?.after?.after === line;
      return isAsked || pair?.before !== pair?.after || pair?.before?.sign !== "same";
    };
    return isWhole
      ? pairs.map((_, index): Folded => ({ kind: "line", index }))
      : fold(pairs.length, differs, CONTEXT, opened);
  }, [pairs, isWhole, opened, line]);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    overscan: OVERSCAN,
  });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
    <div ref={scroller} className="state-diff-lines" data-layout={layout} tabIndex={0}>
      <div style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const part = shown[index];
          if (part === undefined) return null;
          const style = { transform: `translateY(${start}px)` };
          if (part.kind === "gap") {
            return (
              <button
                key={`gap${part.from}`}
                type="button"
                className="state-diff-row state-diff-gap"
                style={style}
                onClick={() => setOpened(new Set(opened).add(part.from))}
              >
                {part.to - part.from} lines that are the same
              </button>
            );
          }
          const pair = pairs[part.index];
          return (
            <div key={part.index} className="state-diff-row" style={style}>
              {layout === "inline" ? (
                <InlineLine {...props} one={pair?.after ?? null} />
              ) : (
                <>
                  <Side {...props} one={pair?.before ?? null} side="before" />
                  <Side {...props} one={pair?.after ?? null} side="after" />
                </>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

const SIGNS = { same: " ", added: "+", removed: "−" } as const;

function InlineLine({
  one,
  colours,
  line,
  onLine,
}: LinesProps & { readonly one: DiffLine | null }) {
  if (one === null) return null;
  const pieces =
    one.after === null ? colours.before?.[(one.before ?? 1) - 1] : colours.after?.[one.after - 1];
  return (
    <div
      className="state-diff-line"
      data-sign={one.sign}
      data-selected={one.after !== null && one.after === line}
    >
      <span className="state-diff-number">{one.before}</span>
      <LineNumber number={one.after} onLine={onLine} />
      <Text one={one}>
        <CodeLine text={one.text} pieces={pieces} />
      </Text>
    </div>
  );
}

interface SideProps extends LinesProps {
  readonly one: DiffLine | null;
  readonly side: "before" | "after";
}

function Side({ one, side, colours, line, onLine }: SideProps) {
  if (one === null) return <div className="state-diff-line" data-sign="none" />;
  const number = one[side];
  return (
    <div
      className="state-diff-line"
      data-sign={one.sign}
      data-selected={side === "after" && number !== null && number === line}
    >
      {side === "after" ? (
        <LineNumber number={number} onLine={onLine} />
      ) : (
        <span className="state-diff-number">{number}</span>
      )}
      <Text one={one}>
        <CodeLine text={one.text} pieces={colours[side]?.[(number ?? 1) - 1]} />
      </Text>
    </div>
  );
}

function Text({ one, children }: { readonly one: DiffLine; readonly children: ReactNode }) {
  return (
    <>
      <span className="state-diff-sign">
        <span aria-hidden="true">{SIGNS[one.sign]}</span>
        {one.sign === "same" ? null : <span className="visually-hidden">{one.sign}: </span>}
      </span>
      <code className="state-diff-text untrusted">
        {children}
        {one.isUnended ? (
          <span className="state-diff-unended" title="No newline at the end of the file">
            ⏎̸
          </span>
        ) : null}
      </code>
    </>
  );
}

interface LineNumberProps {
  readonly number: number | null;
  readonly onLine: ((line: number) => void) | undefined;
}

function LineNumber({ number, onLine }: LineNumberProps) {
  if (number === null || onLine === undefined) {
    return <span className="state-diff-number">{number}</span>;
  }
  return (
    <button
      type="button"
      className="state-diff-number state-diff-ask"
      title={`Why line ${number}?`}
      onClick={() => onLine(number)}
    >
      {number}
    </button>
  );
}
