import "./index.css";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from "react";
import type { TreeLine } from "../../model/path_tree.ts";
import { safeLine } from "../../model/safe_text.ts";

const LINE = 24;
const OVERSCAN = 12;
const LABEL_LENGTH = 200;

interface TreeProps {
  readonly label: string;
  /** What is shown, in order; see `linesOf`. */
  readonly lines: readonly TreeLine[];
  /** Key of the line that is open elsewhere; empty: none. */
  readonly selected: string;
  readonly onToggle: (line: TreeLine) => void;
  readonly onSelect: (line: TreeLine) => void;
  /** What stands at the right end of a line. */
  readonly beside?: (line: TreeLine) => ReactNode;
  /** Whether a line has just changed. */
  readonly isFresh?: (line: TreeLine) => boolean;
}

/** Files and directories, any number of them, by pointer and by keys. */
export function Tree(props: TreeProps) {
  const { label, lines, selected, onToggle, onSelect } = props;
  const treeId = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState("");
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE,
    overscan: OVERSCAN,
  });
  const at = Math.max(
    lines.findIndex((line) => line.key === (active || selected)),
    0,
  );
  const act = (line: TreeLine) => (line.isDirectory ? onToggle(line) : onSelect(line));
  const onKeyDown = (event: KeyboardEvent) => {
    const line = lines[at];
    if (line === undefined) return;
    if (event.key === "Enter" || event.key === " ") act(line);
    else if (isTurn(event.key, line)) onToggle(line);
    else {
      const to = lineOfKey(lines, at, event.key);
      const target = to === undefined ? undefined : lines[to];
      if (to === undefined || target === undefined) return;
      setActive(target.key);
      virtual.scrollToIndex(to);
    }
    event.preventDefault();
  };
  return (
    <div
      ref={scroller}
      className="tree"
      role="tree"
      tabIndex={0}
      aria-label={label}
      aria-activedescendant={lines[at] ? treeId + lines[at].key : undefined}
      onKeyDown={onKeyDown}
    >
      <div className="tree-lines" role="presentation" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const line = lines[index];
          if (line === undefined) return null;
          return (
            <Line
              key={line.key}
              {...props}
              id={treeId + line.key}
              line={line}
              top={start}
              isActive={index === at}
              onAct={() => {
                setActive(line.key);
                act(line);
              }}
            />
          );
        })}
      </div>
    </div>
  );
}

interface LineProps extends TreeProps {
  readonly id: string;
  readonly line: TreeLine;
  readonly top: number;
  readonly isActive: boolean;
  readonly onAct: () => void;
}

function Line({ id, line, top, isActive, selected, onAct, beside, isFresh }: LineProps) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree takes the keys for all of its lines
    // biome-ignore lint/a11y/useFocusableInteractive: the tree has the focus, and names the line
    <div
      id={id}
      className="tree-line"
      role="treeitem"
      aria-level={line.depth + 1}
      aria-selected={line.key === selected}
      {...(line.isDirectory ? { "aria-expanded": line.isExpanded } : {})}
      data-active={isActive}
      data-fresh={isFresh?.(line) ?? false}
      style={{ top, paddingLeft: 8 + line.depth * 14 }}
      onClick={onAct}
    >
      <svg viewBox="0 0 16 16" width="10" height="10" aria-hidden="true">
        {line.isDirectory ? <path d={line.isExpanded ? "M3 6l5 5 5-5" : "M6 3l5 5-5 5"} /> : null}
      </svg>
      <span className="tree-label untrusted line">
        {safeLine(line.label, LABEL_LENGTH)}
        {line.isDirectory ? "/" : ""}
      </span>
      <span className="tree-beside">{beside?.(line)}</span>
    </div>
  );
}

function isTurn(key: string, line: TreeLine): boolean {
  if (!line.isDirectory) return false;
  return line.isExpanded ? key === "ArrowLeft" : key === "ArrowRight";
}

/** Index of the line that a key leads to; undefined: the key means something else. */
function lineOfKey(lines: readonly TreeLine[], at: number, key: string): number | undefined {
  switch (key) {
    case "ArrowUp":
      return Math.max(at - 1, 0);
    case "ArrowDown":
    case "ArrowRight":
      return Math.min(at + 1, lines.length - 1);
    case "ArrowLeft":
      return lines.findLastIndex(
        (line, index) => index < at && line.depth < (lines[at]?.depth ?? 0),
      );
    case "Home":
      return 0;
    case "End":
      return lines.length - 1;
    default:
      return undefined;
  }
}
