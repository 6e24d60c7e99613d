import "./index.css";
import { memo } from "react";
import type { Piece } from "../../model/highlight.ts";
import { cutAt, safeText } from "../../model/safe_text.ts";

interface CodeLineProps {
  readonly text: string;
  /** The same text in colours; undefined while they are worked out, and for what has none. */
  readonly pieces: readonly Piece[] | undefined;
}

/** Longer lines, as in minified files, are cut: nobody reads them here. */
const LONGEST = 2_000;

/** A line of a file, made safe to show. */
export const CodeLine = memo(function CodeLine({ text, pieces }: CodeLineProps) {
  if (text.length > LONGEST) {
    return (
      <>
        {safeText(cutAt(text, LONGEST))}
        <span className="faint"> … {text.length.toLocaleString("en")} characters</span>
      </>
    );
  }
  if (pieces === undefined) return safeText(text);
  return pieces.map((piece, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a line never change
    <span key={index} {...(piece.style ? { className: `code-${piece.style}` } : {})}>
      {safeText(piece.text)}
    </span>
  ));
});
