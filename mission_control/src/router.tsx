/**
 * The address bar as state: which page is shown, and what is selected on it.
 *
 * Pages are at paths, what is selected is in the query, so that a link reproduces the view.
 */

import { type AnchorHTMLAttributes, type MouseEvent, useSyncExternalStore } from "react";

const listeners = new Set<() => void>();

/** Return `pathname?query` of the present page; rendered anew when it changes. */
export function useLocation(): URL {
  const href = useSyncExternalStore(subscribe, () => window.location.href);
  return new URL(href);
}

/** Go to an address of this app; `replace` leaves no entry in the history of the tab. */
export function navigate(to: string, how: { readonly replace?: boolean } = {}): void {
  if (how.replace) window.history.replaceState(null, "", to);
  else window.history.pushState(null, "", to);
  for (const listener of listeners) listener();
}

/** Return the parts of `path` that stand for `:names` of `pattern`, or null where it does not match. */
export function matchPath(pattern: string, path: string): Readonly<Record<string, string>> | null {
  const wanted = pattern.split("/").filter(Boolean);
  const found = path.split("/").filter(Boolean);
  if (wanted.length !== found.length) return null;
  const names: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = decoded(found[index] ?? "");
    if (part.startsWith(":")) names[part.slice(1)] = value;
    else if (part !== value) return null;
  }
  return names;
}

/** A link within the app: no page load, but everything else that a link can do. */
export function Link({ href, onClick, ...rest }: LinkProps) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || hasModifier(event)) return;
    event.preventDefault();
    navigate(href);
  };
  return <a {...rest} href={href} onClick={follow} />;
}

type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & { readonly href: string };

function hasModifier(event: MouseEvent): boolean {
  return event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("popstate", listener);
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
