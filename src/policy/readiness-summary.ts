/** Counts what a connector said of recorded mail, by organization and direction, within bounds. */
import type { Recorded } from './recorded.ts';
import type { Readiness, ReadinessFailure } from './readiness.ts';
import { readReadiness } from './readiness.ts';

export type Direction = 'inbound' | 'outbound';

export interface ConnectorName {
  readonly name: string;
  readonly direction: Direction;
  readonly organization: string;
}

/**
 * `met`, `unmet` and `undecided` (what was examined does not tell) count messages; `failures` are those
 * listed, newest first.
 */
export interface ReadinessView {
  readonly direction: Direction;
  readonly organization: string;
  readonly met: number;
  readonly unmet: number;
  readonly undecided: number;
  /** Of what was met or unmet: the modes that the connector had. */
  readonly modes: Readonly<Record<Readiness['mode'], number>>;
  /** Under how many revisions of the policy it was judged. */
  readonly policyRevisions: number;
  readonly failures: readonly (Omit<ReadinessFailure, 'atMs'> & { readonly at: string })[];
  readonly failuresLeftOut: number;
}

const failuresMax = 10_000;
const namesMax = 10_000;

interface Count {
  readonly direction: Direction;
  readonly organization: string;
  met: number;
  unmet: number;
  undecided: number;
  readonly modes: Record<Readiness['mode'], number>;
  readonly revisions: Set<string>;
  readonly failures: ReadinessFailure[];
}

export class ReadinessSummary {
  readonly #name: string;
  readonly #directions: readonly Direction[];
  readonly #counts = new Map<string, Count>();
  readonly #others = new Set<string>();

  constructor(name: string, directions: readonly Direction[] = ['inbound', 'outbound']) {
    this.#name = name;
    this.#directions = directions;
  }

  add(recorded: Recorded): void {
    if (recorded.kind === 'unreadable') return;
    for (const direction of this.#directions) {
      const question = { name: this.#name, direction, organization: null };
      const said = readReadiness(question, recorded);
      if (said !== null) this.#count(direction, recorded.organization ?? '', said);
    }
    if (this.#others.size < namesMax) for (const name of namesIn(recorded)) this.#others.add(name);
  }

  #count(direction: Direction, organization: string, said: Readiness): void {
    const count = this.#countOf(direction, organization);
    if (said.isMet === null) {
      count.undecided++;
      return;
    }
    count.modes[said.mode]++;
    if (said.policyRevision !== null) count.revisions.add(said.policyRevision);
    if (said.isMet) count.met++;
    else count.unmet++;
    if (said.failure !== null && count.failures.length < failuresMax) {
      count.failures.push(said.failure);
    }
  }

  #countOf(direction: Direction, organization: string): Count {
    const key = `${direction} ${organization}`;
    const known = this.#counts.get(key);
    if (known !== undefined) return known;
    const modes = { enforce: 0, warn: 0, observe: 0 };
    const fresh: Count = {
      direction,
      organization,
      met: 0,
      unmet: 0,
      undecided: 0,
      modes,
      revisions: new Set(),
      failures: [],
    };
    this.#counts.set(key, fresh);
    return fresh;
  }

  /** `named`: those of the configuration, of which nothing may have been seen. */
  view(named: readonly ConnectorName[]): readonly ReadinessView[] {
    for (const { direction, organization } of named) this.#countOf(direction, organization);
    const counts = [...this.#counts.values()].sort(
      (a, b) =>
        (a.organization < b.organization ? -1 : a.organization > b.organization ? 1 : 0) ||
        (a.direction < b.direction ? -1 : 1),
    );
    return counts.map(({ revisions, failures, ...count }) => ({
      ...count,
      policyRevisions: revisions.size,
      failures: failures
        .toSorted((a, b) => b.atMs - a.atMs)
        .map(({ atMs, ...failure }) => ({ ...failure, at: new Date(atMs).toISOString() })),
      failuresLeftOut: count.unmet - failures.length,
    }));
  }

  /** Names of connectors that the records speak of, for `did you mean`. */
  others(): readonly { readonly name: string }[] {
    return Array.from(this.#others, (name) => ({ name }));
  }
}

function namesIn(recorded: Exclude<Recorded, { kind: 'unreadable' }>): string[] {
  if (recorded.kind === 'refusal') return recorded.connector === null ? [] : [recorded.connector];
  const inbound = (recorded.arrival?.accepted ?? []).flatMap(({ connectors, shadow }) => [
    ...connectors,
    ...shadow.map(({ connector }) => connector),
  ]);
  const outbound = recorded.routes.flatMap(({ decision }) => decision.connector ?? []);
  return [...inbound, ...outbound];
}
