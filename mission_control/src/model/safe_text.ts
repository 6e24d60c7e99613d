/**
 * Text of events made safe to show: what would move, hide or disguise its neighbours becomes visible.
 *
 * Events are written by programs that may be hostile or broken. Components show text as text nodes
 * only; what is left to do here is what a text node still lets through: control characters and
 * terminal sequences, overrides of the writing direction, characters without a width.
 */

const CONTROL_PICTURES = 0x2400;
const DELETE_PICTURE = "\u2421";

/** Code points that do not show themselves, first and last of each range. */
const UNSEEN: readonly (readonly [number, number])[] = [
  [0x00, 0x08], // controls before tab and newline
  [0x0b, 0x1f], // controls after them: escape starts a terminal's sequences
  [0x7f, 0x9f], // delete, and controls of the upper half
  [0xad, 0xad], // soft hyphen
  [0x34f, 0x34f], // grapheme joiner
  [0x61c, 0x61c], // Arabic letter mark
  [0x115f, 0x1160], // Hangul fillers
  [0x17b4, 0x17b5], // Khmer vowels without a sign
  [0x180b, 0x180f], // Mongolian selectors and separator
  [0x200b, 0x200f], // zero-width space and joiners, direction marks
  [0x2028, 0x202e], // line and paragraph separators, direction embeddings and overrides
  [0x2060, 0x206f], // word joiner, invisible operators, direction isolates
  [0x3164, 0x3164], // Hangul filler
  [0xd800, 0xdfff], // halves of surrogate pairs
  [0xfeff, 0xfeff], // byte order mark
  [0xffa0, 0xffa0], // halfwidth Hangul filler
  [0xfff0, 0xfffb], // interlinear annotation
  [0xe0000, 0xe0fff], // tags, and variation selectors beyond those of emoji
];
const SPECIAL = new RegExp(`\\r\\n|[${UNSEEN.map(rangeOf).join("")}]`, "gu");
/** A joiner between emoji is ordinary writing. */
const JOINED =
  /(?<=\p{Extended_Pictographic}\ufe0f?\p{EMod}?)\u200d(?=\p{Extended_Pictographic})/gu;
/** Stands for such a joiner meanwhile; text that holds this private character loses it. */
const JOINER_KEPT = "\ue000";

/** Return `text` with every character that does not show itself replaced by one that does. */
export function safeText(text: string): string {
  if (!hasSpecial(text)) return text;
  return text
    .replaceAll(JOINER_KEPT, "\ufffd")
    .replace(JOINED, JOINER_KEPT)
    .replace(SPECIAL, visible)
    .replaceAll(JOINER_KEPT, "\u200d");
}

/** Return the first `limit` characters of `text` on one line, made safe, with "…" where it was cut. */
export function safeLine(text: string, limit: number): string {
  // Runs of blanks shrink, so a few more are looked at than can remain; never the whole megabyte.
  const looked = text.slice(0, limit * 4);
  const line = safeText(looked.replace(/\s+/gu, " ").trim());
  const isCut = looked.length < text.length || line.length > limit;
  return isCut ? `${cutAt(line, limit - 1)}…` : line;
}

/** Cut at `length` UTF-16 units or one before, so that no surrogate pair is torn. */
export function cutAt(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

function rangeOf([first, last]: readonly [number, number]): string {
  return `\\u{${first.toString(16)}}-\\u{${last.toString(16)}}`;
}

function hasSpecial(text: string): boolean {
  SPECIAL.lastIndex = 0;
  return SPECIAL.test(text);
}

function visible(found: string): string {
  if (found === "\r\n") return "\n";
  const code = found.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCharCode(CONTROL_PICTURES + code);
  if (code === 0x7f) return DELETE_PICTURE;
  if (code === 0x2028 || code === 0x2029) return "\n";
  if (code >= 0xd800 && code <= 0xdfff) return "\ufffd";
  return `\u2039U+${code.toString(16).toUpperCase().padStart(4, "0")}\u203a`;
}
