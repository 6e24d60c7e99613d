/** Draws the density of a run: bars of decisions, changes and the rest, errors as flags above. */
import { barHeight, type Density } from "./density.ts";

export interface DensityPalette {
  readonly decision: string;
  readonly change: string;
  readonly other: string;
  readonly error: string;
}

/** Height of the flags that mark errors, pixels. */
const FLAG_HEIGHT = 7;
const BAR_SHARE = 0.8;
/** Share of the buckets that may have a pole. */
const MOST_POLES = 0.1;

export function paintDensity(
  context: CanvasRenderingContext2D,
  density: Density,
  width: number,
  height: number,
  palette: DensityPalette,
): void {
  context.clearRect(0, 0, width, height);
  const buckets = density.events.length;
  const step = width / buckets;
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    paintBar(context, density, bucket, step, height, palette);
  }
  context.fillStyle = palette.error;
  paintFlags(context, density, step, height);
}

function paintFlags(
  context: CanvasRenderingContext2D,
  { errors }: Density,
  step: number,
  height: number,
): void {
  const flagged = errors.reduce((count, here) => count + Math.min(here, 1), 0);
  // Poles point out the few; of many they would hide the bars.
  const hasPoles = flagged < errors.length * MOST_POLES;
  const half = hasPoles ? 4 : step / 2;
  for (let bucket = 0; bucket < errors.length; bucket += 1) {
    if (errors[bucket] === 0) continue;
    const middle = (bucket + 0.5) * step;
    context.beginPath();
    context.moveTo(middle - half, 0);
    context.lineTo(middle + half, 0);
    context.lineTo(middle, FLAG_HEIGHT);
    context.fill();
    if (hasPoles) context.fillRect(middle - 0.5, 0, 1, height);
  }
}

function paintBar(
  context: CanvasRenderingContext2D,
  density: Density,
  bucket: number,
  step: number,
  height: number,
  palette: DensityPalette,
): void {
  const events = density.events[bucket] ?? 0;
  if (events === 0) return;
  const decisions = density.decisions[bucket] ?? 0;
  const changes = density.changes[bucket] ?? 0;
  const room = height - FLAG_HEIGHT - 2;
  const whole = Math.max(barHeight(events, density.highest) * room, 2);
  const shares = [
    [palette.decision, decisions],
    [palette.change, changes],
    [palette.other, Math.max(events - decisions - changes, 0)],
  ] as const;
  let base = height;
  for (const [colour, count] of shares) {
    const part = (count / events) * whole;
    context.fillStyle = colour;
    context.fillRect(bucket * step, base - part, step * BAR_SHARE, part);
    base -= part;
  }
}
