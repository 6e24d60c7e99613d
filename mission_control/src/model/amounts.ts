/** Amounts as people read them: durations, sizes, money, counts. Pure. */

const KIB = 1_024;
const MICROS = 1_000_000;
const UNITS: readonly (readonly [number, string])[] = [
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
  [1, "ms"],
];

/** Return a duration to three digits at most: `812 µs`, `4.21 s`, `3 min 5 s`. */
export function durationText(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return "–";
  if (ms < 1) return `${digits(ms * 1_000)} µs`;
  if (ms < 60_000) {
    const [size, unit] = ms < 1_000 ? [1, "ms"] : [1_000, "s"];
    return `${digits(ms / size)} ${unit}`;
  }
  const [first, second] = ms >= 3_600_000 ? UNITS : UNITS.slice(1);
  if (!first || !second) return "–";
  const rest = Math.floor((ms % first[0]) / second[0]);
  return `${Math.floor(ms / first[0])} ${first[1]}${rest ? ` ${rest} ${second[1]}` : ""}`;
}

/** Return a size: `812 B`, `4.2 KiB`, `1.0 GiB`. */
export function sizeText(bytes: number): string {
  if (bytes < KIB) return `${bytes} B`;
  if (bytes < KIB ** 2) return `${(bytes / KIB).toFixed(1)} KiB`;
  if (bytes < KIB ** 3) return `${(bytes / KIB ** 2).toFixed(1)} MiB`;
  return `${(bytes / KIB ** 3).toFixed(1)} GiB`;
}

/** Return a price in dollars, small ones with more digits: `$0.0042`. */
export function moneyText(microusd: number): string {
  const dollars = microusd / MICROS;
  if (dollars === 0) return "$0";
  return `$${dollars.toFixed(dollars < 0.01 ? 4 : 2)}`;
}

/** Return a count with thousands told apart. */
export function countText(count: number): string {
  return count.toLocaleString("en");
}

/** Return permission bits as `ls` writes them: `rwxr-xr-x`. */
export function modeText(mode: number): string {
  if (mode === 0) return "–";
  return [6, 3, 0]
    .map((shift) => (mode >> shift) & 7)
    .map((bits) => `${bits & 4 ? "r" : "-"}${bits & 2 ? "w" : "-"}${bits & 1 ? "x" : "-"}`)
    .join("");
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
