/**
 * What administrators do to queued mail: retry, hold, release, expire, delete.
 *
 * A command claims the deliveries first and then reads them again, so it never acts on a state that
 * has passed. What is under way is dealt with when its attempt has ended.
 */
import { status } from '../mail/enhanced-status.ts';
import type { Outcome, RecipientOutcome } from '../policy/outcome.ts';
import { describeDemand, keyOf } from '../policy/tls-requirement.ts';
import type { WeakerPolicy } from '../policy/weaker-policy.ts';
import { findWeakerPolicy } from '../policy/weaker-policy.ts';
import type { Recorded } from '../report/trace.ts';
import type { QueuePage, QueueRow, StoredDelivery } from '../store/store.ts';
import type { Claim } from './claim.ts';
import { nameOf } from './claim.ts';
import type { QueueOrder, QueueStepResult, Withheld } from './order.ts';
import { isFit, looksPerStep } from './order.ts';
import type { QueueCore } from './queue-core.ts';
import { reportOutcomes } from './reported.ts';
import { toBatch } from './settlement.ts';

export interface QueueCommands {
  /** One step of an order. Rejects with the store's Failures, and then this step changed nothing. */
  command(order: QueueOrder): Promise<QueueStepResult>;
}

/** Messages that are given up at once, so that their commits share a sync of the disk. */
const expireAtOnce = 50;

export function createCommands(core: QueueCore): QueueCommands {
  const commands = new Commands(core);
  core.onIntent = (order, parts) => {
    commands.resume(order, parts).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      const fields = { queueId: core.ids.idOf(parts[0]?.key ?? 0), reason };
      core.services.log.error(fields, `${order.action} failed after the attempt`);
    });
  };
  return { command: (order) => commands.command(order) };
}

/** What becomes of one delivery. */
interface Change {
  readonly updated: StoredDelivery | 'completed';
  readonly recorded: Recorded;
}

/** A claimed delivery, and the message that it belongs to. */
interface Target {
  readonly claim: Claim;
  readonly message: QueueRow['message'];
}

interface Claimed {
  readonly targets: readonly Target[];
  readonly pending: number;
  readonly unfit: number;
}

class Commands {
  readonly #core: QueueCore;

  constructor(core: QueueCore) {
    this.#core = core;
  }

  async command(order: QueueOrder): Promise<QueueStepResult> {
    const read = (): Promise<QueuePage> => this.#page(order);
    const page = await read();
    const done = await this.#act(order, page.rows, async () => (await read()).rows);
    return { ...done, next: page.next };
  }

  /** After an attempt: to what is left of that delivery, where it still matches. */
  async resume(order: QueueOrder, parts: readonly StoredDelivery[]): Promise<void> {
    const key = parts[0]?.key;
    if (key === undefined) return;
    const names = new Set(parts.map(nameOf));
    const read = async (): Promise<readonly QueueRow[]> => {
      const match = { ...order.match, key };
      const { rows } = await this.#page({ ...order, match, after: null });
      return rows.filter(({ delivery }) => names.has(nameOf(delivery)));
    };
    await this.#act(order, await read(), read);
  }

  #page({ match, after }: QueueOrder): Promise<QueuePage> {
    return this.#core.services.store.pageQueue(match, { after, looks: looksPerStep });
  }

  async #act(
    order: QueueOrder,
    rows: readonly QueueRow[],
    readAgain: () => Promise<readonly QueueRow[]>,
  ): Promise<Omit<QueueStepResult, 'next'>> {
    const { targets, pending, unfit } = await this.#claim(order, rows, readAgain);
    const { kept, withheld } = this.#withhold(order, targets);
    const changed =
      order.action === 'expire' ? await this.#expire(order, kept) : await this.#change(order, kept);
    return { changed, pending, unfit, withheld };
  }

  /** What would go out under less than before stays, unless that is what was ordered. */
  #withhold(
    order: QueueOrder,
    targets: readonly Target[],
  ): { readonly kept: readonly Target[]; readonly withheld: readonly Withheld[] } {
    if (order.action !== 'release' || order.acceptsWeakerPolicy) {
      return { kept: targets, withheld: [] };
    }
    const kept: Target[] = [];
    const withheld: Withheld[] = [];
    for (const target of targets) {
      const weaker = this.#weaker(target);
      if (weaker === null) {
        kept.push(target);
        continue;
      }
      const { key, ordinal, recipients } = target.claim.delivery;
      withheld.push({ key, ordinal, recipients, weaker });
      this.#letGo(target.claim);
    }
    return { kept, withheld };
  }

  #weaker({ claim, message }: Target): WeakerPolicy | null {
    return findWeakerPolicy(this.#core.services.policy(), message, claim.delivery);
  }

  async #change(order: QueueOrder, targets: readonly Target[]): Promise<number> {
    const before: StoredDelivery[] = [];
    const updated: StoredDelivery[] = [];
    const completed: StoredDelivery[] = [];
    const recorded: Recorded[] = [];
    for (const target of targets) {
      const change = this.#changeOf(order, target);
      before.push(target.claim.delivery);
      if (change.updated === 'completed') completed.push(target.claim.delivery);
      else updated.push(change.updated);
      recorded.push(change.recorded);
    }
    try {
      await this.#core.services.store.commit(toBatch({ updated, completed }, ...recorded));
      this.#core.waiting.recount(before, updated);
      return before.length;
    } finally {
      for (const { claim } of targets) this.#letGo(claim);
      this.#core.pump();
    }
  }

  #changeOf(order: QueueOrder, target: Target): Change {
    const { recorder, now } = this.#core.services;
    const { delivery } = target.claim;
    const { by } = order;
    const atMs = now();
    const name = { id: this.#core.ids.idOf(delivery.key), ordinal: delivery.ordinal };
    switch (order.action) {
      case 'retry': {
        const recorded = recorder.recordRetried(name, { atMs, by });
        return { updated: { ...delivery, dueAtMs: atMs }, recorded };
      }
      case 'hold': {
        const held = { atMs, cause: 'administrator', reason: `held by ${by}` };
        const recorded = recorder.recordHeld(name, held);
        return { updated: { ...delivery, state: 'held' }, recorded };
      }
      case 'release':
        return this.#release(order, target, atMs);
      case 'expire':
      case 'delete': {
        const outcomes = giveUp(delivery, `deleted by ${by}, the sender is not told`, atMs);
        return { updated: 'completed', recorded: recorder.recordExpired(name, { atMs, outcomes }) };
      }
    }
  }

  /** The floor loses exactly what today's policy does not demand any more. */
  #release({ by }: QueueOrder, target: Target, atMs: number): Change {
    const { delivery } = target.claim;
    const lost = this.#weaker(target)?.lost ?? [];
    const gone = new Set(lost.map(keyOf));
    const floor = delivery.floor.filter((clause) => !gone.has(keyOf(clause)));
    const name = { id: this.#core.ids.idOf(delivery.key), ordinal: delivery.ordinal };
    const recorded = this.#core.services.recorder.recordReleased(name, {
      atMs,
      by,
      lost: lost.map(describeDemand),
    });
    return {
      updated: { ...delivery, floor, state: 'queued', dueAtMs: atMs, retriesFromMs: atMs },
      recorded,
    };
  }

  async #expire(order: QueueOrder, targets: readonly Target[]): Promise<number> {
    let changed = 0;
    for (let from = 0; from < targets.length; from += expireAtOnce) {
      const some = targets.slice(from, from + expireAtOnce);
      const done = await Promise.all(some.map(({ claim }) => this.#expireOne(order, claim)));
      changed += done.filter((isDone) => isDone).length;
    }
    this.#core.pump();
    return changed;
  }

  async #expireOne({ by }: QueueOrder, claim: Claim): Promise<boolean> {
    const { delivery } = claim;
    const { recorder, now } = this.#core.services;
    const message = await this.#core.messages.read(claim);
    if (message === null) {
      this.#core.claims.letGo(claim);
      return false;
    }
    const atMs = now();
    const failed = giveUp(delivery, `given up by ${by}`, atMs);
    const name = { id: this.#core.ids.idOf(delivery.key), ordinal: delivery.ordinal };
    const expired = recorder.recordExpired(name, { atMs, outcomes: failed });
    const reported = reportOutcomes(failed, { clauses: delivery.floor, candidates: [] });
    const division = { left: [], expired: failed, reported, nextAttemptAtMs: null };
    return this.#core.finish(claim, message, division, [expired]);
  }

  /** What was not changed after all is due as it was, and gets what was asked of it meanwhile. */
  #letGo(claim: Claim): void {
    const { state, routeKey, dueAtMs } = claim.delivery;
    if (state === 'queued') this.#core.waiting.wake(routeKey, dueAtMs);
    this.#core.claims.letGo(claim);
    if (claim.intent !== null) this.#core.onIntent(claim.intent, [claim.delivery]);
  }

  /**
   * Claims what can be, and reads it again: only what is there and fits while it is claimed counts.
   * A retry leaves alone what waits in memory or is under way.
   */
  async #claim(
    order: QueueOrder,
    rows: readonly QueueRow[],
    readAgain: () => Promise<readonly QueueRow[]>,
  ): Promise<Claimed> {
    const claims: Claim[] = [];
    let [pending, unfit] = [0, 0];
    for (const { delivery } of rows) {
      const claimed = this.#core.claims.find(nameOf(delivery));
      if (claimed === undefined) {
        claims.push(this.#core.claims.claim(delivery, 'commanded'));
      } else if (order.action === 'retry') {
        unfit += 1;
      } else if (claimed.state === 'ready') {
        this.#core.claims.withdraw(claimed);
        claims.push(claimed);
      } else {
        claimed.intent = order;
        pending += 1;
      }
    }
    if (claims.length === 0) return { targets: [], pending, unfit };
    try {
      const targets = this.#present(claims, await readAgain());
      const nowMs = this.#core.services.now();
      const fit = targets.filter(({ claim }) => isFit(order.action, claim.delivery, nowMs));
      for (const target of targets) if (!fit.includes(target)) this.#letGo(target.claim);
      return { targets: fit, pending, unfit: unfit + targets.length - fit.length };
    } catch (error) {
      for (const claim of claims) this.#letGo(claim);
      throw error;
    }
  }

  #present(claims: readonly Claim[], rows: readonly QueueRow[]): readonly Target[] {
    const byName = new Map(rows.map((row) => [nameOf(row.delivery), row]));
    return claims.flatMap((claim) => {
      const row = byName.get(claim.name);
      if (row === undefined || row.delivery.routeKey !== claim.delivery.routeKey) {
        this.#letGo(claim);
        return [];
      }
      claim.delivery = row.delivery;
      return [{ claim, message: row.message }];
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
