/**
 * The licence to send one transaction on one connection.
 *
 * Only `policy/tls-verdict.ts` makes one, after it judged that connection's evidence against the
 * whole requirement; the smtp client can begin no transaction without it. A house test holds both.
 */
export class Permit {
  /** The connection whose evidence was judged. */
  readonly connectionId: string;
  /** The clauses that were met, in words, for the record. Empty where nothing was required. */
  readonly clausesMet: readonly string[];
  #isSpent = false;

  constructor(connectionId: string, clausesMet: readonly string[]) {
    this.connectionId = connectionId;
    this.clausesMet = clausesMet;
  }

  /**
   * Uses the permit up for one transaction on this connection.
   * A second use, or one on another connection, is a programmer's error and throws.
   */
  spend(connectionId: string): void {
    if (this.#isSpent) throw new Error('permit was spent already: judge the connection anew');
    if (connectionId !== this.connectionId) {
      throw new Error(`permit is for connection ${this.connectionId}, not ${connectionId}`);
    }
    this.#isSpent = true;
  }
}
