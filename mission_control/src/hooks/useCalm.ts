import { useEffect, useRef, useState } from "react";

/**
 * Return a value that changes at most once in so many milliseconds, and then to the newest.
 *
 * After a quiet time a change is seen at once.
 */
export function useCalm<Value>(value: Value, paceMs: number): Value {
  const [shown, setShown] = useState(value);
  const shownAt = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    if (value === shown) return;
    const show = () => {
      shownAt.current = performance.now();
      setShown(value);
    };
    const wait = shownAt.current + paceMs - performance.now();
    if (wait <= 0) {
      show();
      return;
    }
    const timer = setTimeout(show, wait);
    return () => clearTimeout(timer);
  }, [value, shown, paceMs]);
  return shown;
}
