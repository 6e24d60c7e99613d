import { useEffect, useRef, useState } from "react";

const PAUSE_MS = 200;

/**
 * Return the text of an input and how to change it; what it is for hears of it when typing pauses.
 *
 * A `value` that changes from outside, as by the back button, is shown instead.
 */
export function useDeferredInput(
  value: string,
  onChange: (value: string) => void,
): readonly [string, (text: string) => void] {
  const [typed, setTyped] = useState<{ readonly over: string; readonly text: string } | null>(null);
  const told = useRef(onChange);
  useEffect(() => {
    told.current = onChange;
  });
  useEffect(() => {
    if (!typed || typed.over !== value) return;
    const timer = setTimeout(() => {
      told.current(typed.text);
      setTyped(null);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, value]);
  const text = typed && typed.over === value ? typed.text : value;
  return [text, (next) => setTyped({ over: value, text: next })];
}
