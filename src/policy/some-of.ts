/** Lists for people: a few by name, the others as a number. */

/** `a, b and 3 more`; at most `most` of them by name. */
export function someOf(names: readonly string[], most = 5): string {
  const named = names.slice(0, most).join(', ');
  const others = names.length - most;
  return others > 0 ? `${named} and ${others} more` : named;
}
