/**
 * Hosts that could not be used lately: they are tried after the others, so that not every message
 * waits for a dead first host.
 *
 * In memory, by organization, host and port. Only the order is changed: no host is left out, and
 * nothing here tells what a connection must be. Each time a hold is over, one attempt tries the host
 * at its own place while the others go on around it; what that comes to ends the hold or begins a longer one.
 */
import type { Requirement } from '../policy/tls-requirement.ts';
import { keyOf } from '../policy/tls-requirement.ts';
import type { PlannedHost } from './planned-host.ts';

/**
 * What became of a host: `failed`, no session came about with any of its addresses; `unfit`, it
 * answers, and its TLS does not meet what this mail requires; `well`, it was used.
 */
export type HostState = 'failed' | 'unfit' | 'well';

/** For whom a host is looked at; what is unfit for one requirement may do for another. */
export interface HealthScope {
  readonly organization: string;
  readonly requirement: Requirement;
}

/** How long the first hold is, and the longest. */
export const holdMs = { first: 60_000, longest: 600_000 } as const;
const hostsMax = 1_000;

interface Hold {
  readonly failures: number;
  readonly untilMs: number;
  /** An attempt is finding out whether the host is well again. */
  readonly isProbed: boolean;
}

/** The memory; `now` is a clock that is never set. */
export class HostHealth {
  readonly #now: () => number;
  readonly #holds = new Map<string, Hold>();
  readonly #demands = new WeakMap<Requirement, string>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * The same hosts. Of one entry only hosts of equal preference change places; an entry goes behind
   * the others when the host that it begins with is on hold.
   */
  order(scope: HealthScope, hosts: readonly PlannedHost[]): readonly PlannedHost[] {
    if (this.#holds.size === 0 || hosts.length < 2) return hosts;
    const held = new Set(hosts.filter((host) => this.#isHeld(scope, host)));
    if (held.size === 0) return hosts;
    const entries = [...Map.groupBy(hosts, ({ entry }) => entry).values()].map((entry) =>
      entry.toSorted(
        (a, b) => a.preference - b.preference || Number(held.has(a)) - Number(held.has(b)),
      ),
    );
    const isBehind = (entry: readonly PlannedHost[]): boolean => held.has(entry[0]!);
    return [
      ...entries.filter((entry) => !isBehind(entry)).flat(),
      ...entries.filter(isBehind).flat(),
    ];
  }

  note(scope: HealthScope, host: PlannedHost, state: HostState): void {
    switch (state) {
      case 'failed':
        return this.#hold(keyOfHost(scope, host));
      case 'unfit':
        this.#holds.delete(keyOfHost(scope, host));
        return this.#hold(this.#unfitKey(scope, host));
      case 'well':
        if (this.#holds.size === 0) return;
        this.#holds.delete(keyOfHost(scope, host));
        this.#holds.delete(this.#unfitKey(scope, host));
    }
  }

  /** Failures within a hold are one failure: many messages were under way together. */
  #hold(key: string): void {
    const known = this.#holds.get(key);
    const nowMs = this.#now();
    if (known !== undefined && !known.isProbed && nowMs < known.untilMs) return;
    const failures = (known?.failures ?? 0) + 1;
    const lengthMs = Math.min(holdMs.first * 2 ** Math.min(failures - 1, 10), holdMs.longest);
    this.#keep(key, { failures, untilMs: nowMs + lengthMs, isProbed: false });
  }

  #isHeld(scope: HealthScope, host: PlannedHost): boolean {
    const isDead = this.#isOnHold(keyOfHost(scope, host));
    return this.#isOnHold(this.#unfitKey(scope, host)) || isDead;
  }

  /** Whoever asks first after the end of a hold is told no, and so goes to see. */
  #isOnHold(key: string): boolean {
    const hold = this.#holds.get(key);
    if (hold === undefined) return false;
    const nowMs = this.#now();
    if (nowMs < hold.untilMs) return true;
    this.#keep(key, { ...hold, untilMs: nowMs + holdMs.first, isProbed: true });
    return false;
  }

  #keep(key: string, hold: Hold): void {
    if (this.#holds.size >= hostsMax && !this.#holds.has(key)) {
      this.#holds.delete(this.#holds.keys().next().value!);
    }
    this.#holds.set(key, hold);
  }

  #unfitKey(scope: HealthScope, host: PlannedHost): string {
    const { requirement } = scope;
    const demands = this.#demands.get(requirement) ?? requirement.clauses.map(keyOf).join('\n');
    this.#demands.set(requirement, demands);
    return `${keyOfHost(scope, host)}\n${demands}`;
  }
}

function keyOfHost({ organization }: HealthScope, { hostName, port }: PlannedHost): string {
  return `${organization}\n${hostName} ${port}`;
}
