/**
 * Whether a common name counts as a host's name: then name constraints bind it, and it may match.
 * One predicate for both, so that nothing matches that no constraint was held against.
 */
export function isHostLike(commonName: string): boolean {
  return /^[A-Za-z0-9_*-]+(?:\.[A-Za-z0-9_*-]+)+\.?$/.test(commonName);
}
