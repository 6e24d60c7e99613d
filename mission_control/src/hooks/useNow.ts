import { useEffect, useState } from "react";
import { type Milliseconds, milliseconds } from "../types/units.ts";

const SECOND_MS = 1_000;

/** Return the time, anew each second. */
export function useNow(): Milliseconds {
  const [now, setNow] = useState(() => milliseconds(Date.now()));
  useEffect(() => {
    const tick = setInterval(() => setNow(milliseconds(Date.now())), SECOND_MS);
    return () => clearInterval(tick);
  }, []);
  return now;
}
