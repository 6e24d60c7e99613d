import "./index.css";
import { useMemo, useState } from "react";
import { cutAt, safeText } from "../../model/safe_text.ts";

interface LongTextProps {
  /** As others wrote it. */
  readonly text: string;
  /** `code` keeps lines and columns. */
  readonly form?: "prose" | "code";
}

const SHOWN = 2_000;

/** Text of any length from anybody: made safe, and cut until all of it is asked for. */
export function LongText({ text, form = "prose" }: LongTextProps) {
  const [isWhole, setIsWhole] = useState(false);
  const isCut = !isWhole && text.length > SHOWN;
  const shown = useMemo(() => safeText(isCut ? cutAt(text, SHOWN) : text), [text, isCut]);
  return (
    <div className="long-text" data-form={form}>
      <div
        className="long-text-body untrusted"
        dir="auto"
        data-whole={isWhole || undefined}
        // Only what was cut scrolls once it is whole, and what scrolls has to be reached by keyboard.
        tabIndex={isWhole ? 0 : undefined}
      >
        {shown}
        {isCut ? "…" : ""}
      </div>
      {text.length > SHOWN ? (
        <button type="button" className="quiet" onClick={() => setIsWhole(!isWhole)}>
          {isWhole ? "Show less" : `Show all ${text.length.toLocaleString("en")} characters`}
        </button>
      ) : null}
    </div>
  );
}
