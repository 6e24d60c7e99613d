import { useSyncExternalStore } from "react";

/** Everything that this browser remembers of its user's wishes, and nothing else. */
const PREFIX = "swarm.";
const listeners = new Set<() => void>();
/** What could not be stored (private windows, full disks) holds as long as the page. */
const unstored = new Map<string, string>();

/** Return a preference and the way to change it; what is stored but not among `choices` is ignored. */
export function usePreference<Choice extends string>(
  name: string,
  choices: readonly Choice[],
  fallback: Choice,
): readonly [Choice, (value: Choice) => void] {
  const stored = useSyncExternalStore(subscribe, () => readPreference(name));
  const value = choices.find((choice) => choice === stored) ?? fallback;
  return [value, (chosen) => writePreference(name, chosen)];
}

/** Return what is stored; null where nothing is, or where nothing can be. */
export function readPreference(name: string): string | null {
  try {
    return window.localStorage.getItem(PREFIX + name) ?? unstored.get(name) ?? null;
  } catch {
    return unstored.get(name) ?? null;
  }
}

function writePreference(name: string, value: string): void {
  unstored.set(name, value);
  try {
    window.localStorage.setItem(PREFIX + name, value);
  } catch {
    // kept in `unstored`
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("storage", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("storage", listener);
  };
}
