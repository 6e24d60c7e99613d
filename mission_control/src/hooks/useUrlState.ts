import { useCallback } from "react";
import { navigate, useLocation } from "../router.tsx";

/** What a link reproduces: parameters of the query. Empty and null take one out. */
export type UrlChange = Readonly<Record<string, string | null>>;

export interface UrlState {
  /** Value of a parameter; empty where it is not given. */
  readonly get: (name: string) => string;
  /**
   * Change parameters, all at once. `replace` (the default) is for what changes often, such as a
   * search or a scrub position; `push` for what the back button shall undo, such as a selection.
   */
  readonly set: (change: UrlChange, how?: "replace" | "push") => void;
}

/** Return what is selected, as the address bar says. */
export function useUrlState(): UrlState {
  const { search } = useLocation();
  const get = useCallback((name: string) => new URLSearchParams(search).get(name) ?? "", [search]);
  return { get, set: changeUrl };
}

/** Change parameters of the present address; what is already so changes nothing. */
export function changeUrl(change: UrlChange, how: "replace" | "push" = "replace"): void {
  const { pathname, search } = window.location;
  const to = hrefWith(pathname, search, change);
  if (to !== pathname + search) navigate(to, { replace: how === "replace" });
}

/** Return an address with some parameters changed, for links. */
export function hrefWith(pathname: string, search: string, change: UrlChange): string {
  const given = new URLSearchParams(search);
  for (const [name, value] of Object.entries(change)) {
    if (value) given.set(name, value);
    else given.delete(name);
  }
  const text = given.toString();
  return pathname + (text ? `?${text}` : "");
}
