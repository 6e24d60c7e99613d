import { useEffect, useState } from "react";
import type { Piece } from "../model/highlight.ts";

export type Pieces = readonly (readonly Piece[])[];

/** Longer texts stay without colours: working them out would hold the page up. */
const LONGEST = 200_000;

/** Return the lines of a text in colours; null until they are there, and where there are none. */
export function usePieces(text: string, language: string): Pieces | null {
  const [found, setFound] = useState<{ text: string; pieces: Pieces } | null>(null);
  useEffect(() => {
    if (language === "" || text.length > LONGEST) return;
    let isWanted = true;
    void import("../model/highlight.ts").then(({ piecesOf }) => {
      if (isWanted) setFound({ text, pieces: piecesOf(text, language) });
    });
    return () => {
      isWanted = false;
    };
  }, [text, language]);
  return found?.text === text ? found.pieces : null;
}
