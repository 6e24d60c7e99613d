/**
 * Source code in colours: pieces of text with the name of what they are. Pure.
 *
 * The pieces are shown as text nodes, so that nothing of a file is ever taken for HTML. Loaded only
 * when a file is shown: the grammars are the largest part of mission control.
 */

import { common, createLowlight } from "lowlight";

export interface Piece {
  /** What it is, such as `keyword`; empty for plain text. */
  readonly style: string;
  readonly text: string;
}

interface Node {
  readonly type: string;
  readonly value?: unknown;
  readonly children?: readonly unknown[];
  readonly properties?: { readonly className?: unknown };
}

const STYLE_PREFIX = "hljs-";
const lowlight = createLowlight(common);

/** Return the pieces of each line of `text`. */
export function piecesOf(text: string, language: string): readonly (readonly Piece[])[] {
  const lines: Piece[][] = [[]];
  if (lowlight.registered(language)) append(lowlight.highlight(language, text), "", lines);
  else appendText(text, "", lines);
  return lines;
}

function append(node: Node, style: string, lines: Piece[][]): void {
  if (node.type === "text") {
    appendText(String(node.value), style, lines);
    return;
  }
  const own = styleOf(node) || style;
  for (const child of node.children ?? []) append(child as Node, own, lines);
}

function appendText(text: string, style: string, lines: Piece[][]): void {
  for (const [index, part] of text.split("\n").entries()) {
    if (index > 0) lines.push([]);
    if (part !== "") lines.at(-1)?.push({ style, text: part });
  }
}

function styleOf(node: Node): string {
  const names = node.properties?.className;
  if (!Array.isArray(names)) return "";
  const found = names.map(String).find((name) => name.startsWith(STYLE_PREFIX));
  return found === undefined ? "" : found.slice(STYLE_PREFIX.length);
}
