/**
 * Addresses that answered nothing to a large ClientHello: the next handshake there is a small one.
 *
 * The post-quantum share makes the ClientHello larger than one packet, and some middleboxes drop it.
 * A small one lowers no authentication; where a clause asks for a group, the large one is kept.
 */
import type { Requirement } from '../policy/tls-requirement.ts';

const keptMs = 600_000;
const addressesMax = 1_000;

export class SmallHelloMemory {
  readonly #until = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(address: string, port: number): void {
    if (this.#until.size >= addressesMax) this.#until.delete(this.#until.keys().next().value!);
    this.#until.set(`${address} ${port}`, this.#now() + keptMs);
  }

  has(address: string, port: number, requirement: Requirement): boolean {
    if (this.#until.size === 0) return false;
    if (requirement.clauses.some(({ kind }) => kind === 'group')) return false;
    const key = `${address} ${port}`;
    const until = this.#until.get(key);
    if (until === undefined) return false;
    if (until > this.#now()) return true;
    this.#until.delete(key);
    return false;
  }
}
