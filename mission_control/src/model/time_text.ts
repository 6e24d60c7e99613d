/** Times as people read them. Pure; in the zone of the browser, as clocks on walls are. */

import type { Milliseconds } from "../types/units.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Return the time of day to the millisecond: `14:03:27.125`. */
export function clock(at: Milliseconds): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return "–";
  const two = (value: number) => String(value).padStart(2, "0");
  const fraction = String(time.getMilliseconds()).padStart(3, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${fraction}`;
}

/** Return how long ago something was, to the largest unit: `now`, `12 s`, `3 min`, `2 h`, `5 d`. */
export function ago(at: Milliseconds, now: Milliseconds): string {
  const seconds = Math.max(0, Math.floor((now - at) / 1000));
  if (seconds < 2) return "now";
  if (seconds < MINUTE) return `${seconds} s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h`;
  return `${Math.floor(seconds / DAY)} d`;
}
