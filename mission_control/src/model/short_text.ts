/**
 * Texts of the wire, made where most of them are short and plain. Pure.
 *
 * What a browser's own decoder makes lies outside of the engine's memory: hundreds of thousands of
 * such texts, most of them ids and names, are what a garbage collection then takes longest for.
 */

const SHORT = 128;
const LAST_ASCII = 0x7f;

/** Return the text that ASCII bytes are; null for longer ones, and for any others. */
export function shortAscii(bytes: Uint8Array): string | null {
  if (bytes.length > SHORT) return null;
  for (const byte of bytes) if (byte > LAST_ASCII) return null;
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}
