/**
 * What administrators do to queued mail: retry, hold, release, expire, remove.
 *
 * A command claims the deliveries first and then reads them again, so it never acts on a state that
 * has passed. What is under way is dealt with when its attempt has ended.
 */
import { status } from '../mail/enhanced-status.ts';
import { isOfMessage } from '../policy/floor.ts';
import type { Outcome, RecipientOutcome } from '../policy/outcome.ts';
import type { Recorded } from '../report/trace.ts';
import type { QueueFilter, QueueRow, StoredDelivery } from '../store/store.ts';
import type { Claim, Intent } from './claim.ts';
import { nameOf } from './claim.ts';
import type { QueueCore } from './queue-core.ts';
import { reportOutcomes } from './reported.ts';
import { toBatch } from './settlement.ts';

/** Deliveries changed now, and those that will be when their attempt has ended. */
export interface CommandResult {
  readonly changed: number;
  readonly pending: number;
}

/** `by` names who asked. All reject with the store's Failures, and then nothing was changed. */
export interface QueueCommands {
  /** Makes queued deliveries due at once. */
  retry(filter: QueueFilter): Promise<CommandResult>;
  /** Stops a message until it is released. */
  hold(id: string, by: string): Promise<CommandResult>;
  /** A hold because of weakened policy is released under today's policy. */
  release(id: string, by: string): Promise<CommandResult>;
  /** Gives a message up; its sender gets a DSN. */
  expire(id: string, by: string): Promise<CommandResult>;
  /** Drops a message; nobody is told. */
  remove(id: string, by: string): Promise<CommandResult>;
}

const rowsMax = 10_000;

export function createCommands(core: QueueCore): QueueCommands {
  const commands = new Commands(core);
  core.onIntent = (intent, id) => {
    commands[intent.kind](id, intent.by).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      core.services.log.error({ queueId: id, reason }, `${intent.kind} failed after the attempt`);
    });
  };
  return {
    retry: (filter) => commands.retry(filter),
    hold: (id, by) => commands.hold(id, by),
    release: (id, by) => commands.release(id, by),
    expire: (id, by) => commands.expire(id, by),
    remove: (id, by) => commands.remove(id, by),
  };
}

/** What becomes of one delivery; null leaves it as it is. */
interface Change {
  readonly updated: StoredDelivery | 'completed';
  readonly recorded: Recorded | null;
}

class Commands {
  readonly #core: QueueCore;

  constructor(core: QueueCore) {
    this.#core = core;
  }

  async retry(filter: QueueFilter): Promise<CommandResult> {
    const nowMs = this.#core.services.now();
    const read = (): Promise<readonly QueueRow[]> => this.#list({ ...filter, state: 'queued' });
    return this.#change(read, null, (delivery) =>
      delivery.state === 'queued' && delivery.dueAtMs > nowMs
        ? { updated: { ...delivery, dueAtMs: nowMs }, recorded: null }
        : null,
    );
  }

  async hold(id: string, by: string): Promise<CommandResult> {
    const { recorder, now } = this.#core.services;
    const held = { atMs: now(), cause: 'administrator', reason: `held by ${by}` };
    return this.#change(
      () => this.#find(id),
      { kind: 'hold', by },
      (delivery) =>
        delivery.state === 'queued'
          ? {
              updated: { ...delivery, state: 'held' },
              recorded: recorder.recordHeld({ id, ordinal: delivery.ordinal }, held),
            }
          : null,
    );
  }

  async release(id: string, by: string): Promise<CommandResult> {
    const { recorder, now } = this.#core.services;
    const atMs = now();
    return this.#change(
      () => this.#find(id),
      null,
      (delivery) => {
        if (delivery.state !== 'held') return null;
        const { lastOutcome } = delivery;
        const isWeakened = lastOutcome?.kind === 'held' && lastOutcome.cause === 'policy-weakened';
        const floor = isWeakened ? delivery.floor.filter(isOfMessage) : delivery.floor;
        return {
          updated: { ...delivery, floor, state: 'queued', dueAtMs: atMs, retriesFromMs: atMs },
          recorded: recorder.recordReleased({ id, ordinal: delivery.ordinal }, { atMs, by }),
        };
      },
    );
  }

  async remove(id: string, by: string): Promise<CommandResult> {
    const { recorder, now } = this.#core.services;
    const atMs = now();
    const reason = `removed by ${by}, the sender is not told`;
    return this.#change(
      () => this.#find(id),
      { kind: 'remove', by },
      (delivery) => {
        const outcomes = giveUp(delivery, reason, atMs);
        const { ordinal } = delivery;
        return {
          updated: 'completed',
          recorded: recorder.recordExpired({ id, ordinal }, { atMs, outcomes }),
        };
      },
    );
  }

  async expire(id: string, by: string): Promise<CommandResult> {
    const { recorder, now } = this.#core.services;
    const { claims, pending } = await this.#claim(() => this.#find(id), { kind: 'expire', by });
    let changed = 0;
    for (const claim of claims) {
      const { delivery } = claim;
      const message = await this.#core.readMessage(claim);
      if (message === null) {
        this.#core.letGo(claim);
        continue;
      }
      const atMs = now();
      const failed = giveUp(delivery, `given up by ${by}`, atMs);
      const { ordinal, floor } = delivery;
      const expired = recorder.recordExpired({ id, ordinal }, { atMs, outcomes: failed });
      const reported = reportOutcomes(failed, { clauses: floor, candidates: [] });
      const division = { left: [], expired: failed, reported, nextAttemptAtMs: null };
      if (await this.#core.finish(claim, message, division, [expired])) changed += 1;
    }
    this.#core.pump();
    return { changed, pending };
  }

  #list(filter: QueueFilter): Promise<readonly QueueRow[]> {
    return this.#core.services.store.listQueue(filter);
  }

  async #find(id: string): Promise<readonly QueueRow[]> {
    const key = this.#core.keyOf(id);
    return key === null ? [] : this.#list({ key, limit: rowsMax });
  }

  async #change(
    read: () => Promise<readonly QueueRow[]>,
    intent: Intent | null,
    changeOf: (delivery: StoredDelivery) => Change | null,
  ): Promise<CommandResult> {
    const { claims, pending } = await this.#claim(read, intent);
    const before: StoredDelivery[] = [];
    const updated: StoredDelivery[] = [];
    const completed: StoredDelivery[] = [];
    const recorded: Recorded[] = [];
    for (const { delivery } of claims) {
      const change = changeOf(delivery);
      if (change === null) continue;
      before.push(delivery);
      if (change.updated === 'completed') completed.push(delivery);
      else updated.push(change.updated);
      if (change.recorded !== null) recorded.push(change.recorded);
    }
    try {
      await this.#core.services.store.commit(toBatch({ updated, completed }, ...recorded));
      this.#core.recount(before, updated);
      return { changed: before.length, pending };
    } finally {
      for (const claim of claims) this.#letGo(claim);
      this.#core.pump();
    }
  }

  /** What was not changed after all is due as it was. */
  #letGo(claim: Claim): void {
    const { state, routeKey, dueAtMs } = claim.delivery;
    if (state === 'queued') this.#core.wake(routeKey, dueAtMs);
    this.#core.letGo(claim);
  }

  /**
   * Claims what can be, and reads it again: only what is there while it is claimed counts. Without an
   * intent, what waits in memory or is under way is left alone.
   */
  async #claim(
    read: () => Promise<readonly QueueRow[]>,
    intent: Intent | null,
  ): Promise<{ readonly claims: readonly Claim[]; readonly pending: number }> {
    const claims: Claim[] = [];
    let pending = 0;
    for (const { delivery } of await read()) {
      const claimed = this.#core.findClaim(nameOf(delivery));
      if (claimed === undefined) {
        claims.push(this.#core.claim(delivery, 'commanded'));
      } else if (intent !== null && claimed.state === 'ready') {
        this.#core.withdraw(claimed);
        claims.push(claimed);
      } else if (intent !== null) {
        claimed.intent = intent;
        pending += 1;
      }
    }
    try {
      return { claims: claims.length === 0 ? [] : this.#present(claims, await read()), pending };
    } catch (error) {
      for (const claim of claims) this.#letGo(claim);
      throw error;
    }
  }

  #present(claims: readonly Claim[], rows: readonly QueueRow[]): readonly Claim[] {
    const byName = new Map(rows.map(({ delivery }) => [nameOf(delivery), delivery]));
    return claims.filter((claim) => {
      const delivery = byName.get(claim.name);
      if (delivery === undefined || delivery.routeKey !== claim.delivery.routeKey) {
        this.#letGo(claim);
        return false;
      }
      claim.delivery = delivery;
      return true;
    });
  }
}

function giveUp(delivery: StoredDelivery, reason: string, atMs: number): RecipientOutcome[] {
  const outcome: Outcome = {
    kind: 'bounced',
    cause: 'local',
    status: status('4.4.7'),
    reason,
    reply: null,
    remoteMta: null,
    at: new Date(atMs).toISOString(),
  };
  return delivery.recipients.map((recipient) => ({ recipient, outcome }));
}
