/** Lists that only grow at their end, kept below a bound. Pure. */

/**
 * Return `list` with `more` at its end, and how many of the oldest were let go.
 *
 * Only when it is longer than `bound + slack` it is cut to `bound`: cutting costs a copy, so it is
 * done once for many appends.
 */
export function appended<Item>(
  list: readonly Item[],
  more: readonly Item[],
  bound: number,
  slack: number,
): { readonly list: readonly Item[]; readonly dropped: number } {
  const whole = list.concat(more);
  if (whole.length <= bound + slack) return { list: whole, dropped: 0 };
  const dropped = whole.length - bound;
  return { list: whole.slice(dropped), dropped };
}
