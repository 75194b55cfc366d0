/** Counts what a replay found: by kind, partner and reason, by message, within bounds. */
import type { Recorded } from './recorded.ts';
import type { Change, ChangeKind, Replayed, Undecidable } from './replayed.ts';

/** Changes of one kind, partner and cause. `reason` and `ids` are of the first that were read. */
export interface ChangeGroup extends Pick<Change, 'kind' | 'direction' | 'partner' | 'because'> {
  readonly messages: number;
  readonly reason: string;
  readonly ids: readonly string[];
}

export interface KindCount {
  readonly kind: ChangeKind;
  readonly direction: Change['direction'];
  readonly messages: number;
  readonly partners: number;
}

export interface UndecidedCount {
  readonly why: Undecidable;
  readonly messages: number;
  readonly ids: readonly string[];
}

export interface ListedChange extends Change {
  readonly id: string;
  readonly at: string;
}

/** `changedLeftOut`: changes beyond the list's bound; they are counted all the same. */
export interface ReplaySummaryView {
  readonly changed: number;
  readonly undecidedOnly: number;
  readonly kinds: readonly KindCount[];
  readonly groups: readonly ChangeGroup[];
  readonly groupsLeftOut: number;
  readonly changes: readonly ListedChange[];
  readonly changesLeftOut: number;
  readonly undecided: readonly UndecidedCount[];
}

export const changesMax = 10_000;
const groupsMax = 10_000;
const partnersMax = 100_000;
const idsMax = 5;

interface Group extends Omit<ChangeGroup, 'messages' | 'ids'> {
  messages: number;
  readonly ids: string[];
}

interface Kind {
  messages: number;
  readonly partners: Set<string>;
}

export class ReplaySummary {
  readonly #kinds = new Map<string, Kind>();
  readonly #groups = new Map<string, Group>();
  readonly #undecided = new Map<Undecidable, { messages: number; readonly ids: string[] }>();
  readonly #changes: ListedChange[] = [];
  #changed = 0;
  #undecidedOnly = 0;
  #changesLeftOut = 0;
  #groupsLeftOut = 0;

  add(recorded: Recorded, { changes, undecided }: Replayed): void {
    if (changes.length > 0) this.#changed++;
    else if (undecided.length > 0) this.#undecidedOnly++;
    const { id, atMs } = recorded;
    for (const change of changes) {
      if (this.#changes.length === changesMax) this.#changesLeftOut++;
      else this.#changes.push({ id, at: new Date(atMs).toISOString(), ...change });
    }
    // A message counts once for each of these, however many recipients it has.
    const byKind = new Map(changes.map((change) => [keyOf(change), change]));
    for (const [key, change] of byKind) this.#countKind(key, changes, change);
    const byGroup = new Map(changes.map((change) => [groupKeyOf(change), change]));
    for (const [key, change] of byGroup) this.#countGroup(key, change, id);
    for (const why of new Set(undecided.map((each) => each.why))) this.#countUndecided(why, id);
  }

  #countKind(key: string, changes: readonly Change[], { kind, direction }: Change): void {
    const counted = this.#kinds.get(key) ?? { messages: 0, partners: new Set() };
    this.#kinds.set(key, counted);
    counted.messages++;
    for (const change of changes) {
      if (change.kind !== kind || change.direction !== direction) continue;
      if (counted.partners.size < partnersMax) counted.partners.add(change.partner);
    }
  }

  #countGroup(key: string, change: Change, id: string): void {
    const known = this.#groups.get(key);
    if (known === undefined && this.#groups.size === groupsMax) {
      this.#groupsLeftOut++;
      return;
    }
    const { kind, direction, partner, because, reason } = change;
    const group = known ?? { kind, direction, partner, because, reason, messages: 0, ids: [] };
    this.#groups.set(key, group);
    group.messages++;
    if (group.ids.length < idsMax) group.ids.push(id);
  }

  #countUndecided(why: Undecidable, id: string): void {
    const counted = this.#undecided.get(why) ?? { messages: 0, ids: [] };
    this.#undecided.set(why, counted);
    counted.messages++;
    if (counted.ids.length < idsMax) counted.ids.push(id);
  }

  /** The gravest kinds first, in each the largest groups first. */
  view(): ReplaySummaryView {
    const groups = [...this.#groups.values()].sort(
      (a, b) =>
        rankOf(a) - rankOf(b) ||
        b.messages - a.messages ||
        (groupKeyOf(a) < groupKeyOf(b) ? -1 : 1),
    );
    const kinds = Array.from(this.#kinds, ([key, { messages, partners }]) => {
      const [kind, direction] = key.split(' ') as [ChangeKind, Change['direction']];
      return { kind, direction, messages, partners: partners.size };
    });
    return {
      changed: this.#changed,
      undecidedOnly: this.#undecidedOnly,
      kinds: kinds.sort((a, b) => rankOf(a) - rankOf(b)),
      groups,
      groupsLeftOut: this.#groupsLeftOut,
      changes: this.#changes,
      changesLeftOut: this.#changesLeftOut,
      undecided: Array.from(this.#undecided, ([why, counted]) => ({ why, ...counted })).sort(
        (a, b) => b.messages - a.messages,
      ),
    };
  }
}

/** The gravest first. */
const ranked: readonly ChangeKind[] = [
  'refused',
  'deferred',
  'returned',
  'weaker',
  'accepted',
  'attributed',
  'routed',
  'passed',
  'stricter',
];

function rankOf({ kind, direction }: Pick<Change, 'kind' | 'direction'>): number {
  return ranked.indexOf(kind) * 2 + (direction === 'inbound' ? 0 : 1);
}

function keyOf({ kind, direction }: Pick<Change, 'kind' | 'direction'>): string {
  return `${kind} ${direction}`;
}

function groupKeyOf(change: Pick<Change, 'kind' | 'direction' | 'partner' | 'because'>): string {
  return `${keyOf(change)} ${change.partner} ${change.because}`;
}
