/** What the rules said about one recipient; kept with its delivery, since rules run once. */
import type { Clause } from '../tls-requirement.ts';

/**
 * `connector`: the outbound connector that a rule routes to; null where none does. `overrides`: the
 * connectors whose clauses the rule says need not hold. `clauses`: what rules demand, their origin.
 */
export interface Ruling {
  readonly connector: string | null;
  readonly rule: string | null;
  readonly overrides: readonly string[];
  readonly clauses: readonly Clause[];
}
