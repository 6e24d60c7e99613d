import "./index.css";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import { cellText } from "../../model/result_text.ts";
import { safeLine } from "../../model/safe_text.ts";
import type { JsonColumn, SqlResult } from "../../services/trace_api.ts";

const ROW_PX = 26;
const OVERSCAN = 20;
const CELL_LENGTH = 300;
const NUMBER = /^(Nullable\()?(U?Int|Float|Decimal)/;
const WIDEST_CH = 48;
const NARROWEST_CH = 8;
const MEASURED_ROWS = 100;

/** The rows of a query, any number of them. */
export function ResultTable({ result }: { readonly result: SqlResult }) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: result.rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
  });
  const items = virtual.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
    <div ref={scroller} className="result-table" tabIndex={0}>
      <table aria-rowcount={result.rows.length + 1}>
        <caption className="visually-hidden">Result</caption>
        <colgroup>
          {result.columns.map((_, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the columns never change, and may repeat
            <col key={index} style={{ width: `${widthOf(result, index)}ch` }} />
          ))}
        </colgroup>
        <thead>
          <tr>
            {result.columns.map((column, index) => (
              <th
                // biome-ignore lint/suspicious/noArrayIndexKey: the columns never change, and may repeat
                key={index}
                scope="col"
                title={column.type}
                className="line untrusted"
                data-number={NUMBER.test(column.type)}
              >
                {safeLine(column.name, CELL_LENGTH)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Room height={above} />
          {items.map(({ index }) => (
            <tr key={index} aria-rowindex={index + 2}>
              {result.columns.map((column, cell) => (
                <Cell
                  // biome-ignore lint/suspicious/noArrayIndexKey: the columns never change, and may repeat
                  key={cell}
                  cell={result.rows[index]?.[cell]}
                  isNumber={NUMBER.test(column.type)}
                />
              ))}
            </tr>
          ))}
          <Room height={below} />
        </tbody>
      </table>
    </div>
  );
}

/** Stands for the rows that are not shown. */
function Room({ height }: { readonly height: number }) {
  return height > 0 ? (
    <tr>
      <td style={{ height }} />
    </tr>
  ) : null;
}

function Cell({ cell, isNumber }: CellProps) {
  const isMissing = cell === null || cell === undefined;
  const text = isMissing ? "null" : safeLine(cellText(cell), CELL_LENGTH);
  return (
    <td
      className="line untrusted"
      data-number={isNumber}
      data-missing={isMissing}
      title={text}
      dir="auto"
    >
      {text}
    </td>
  );
}

interface CellProps {
  readonly cell: JsonColumn | undefined;
  readonly isNumber: boolean;
}

function widthOf({ columns, rows }: SqlResult, index: number): number {
  const texts = rows.slice(0, MEASURED_ROWS).map((row) => cellText(row[index]).length);
  const widest = Math.max(columns[index]?.name.length ?? 0, ...texts) + 3;
  return Math.min(Math.max(widest, NARROWEST_CH), WIDEST_CH);
}
