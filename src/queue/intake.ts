/**
 * How messages get into the queue: one commit for all that come together, and after it their turn.
 *
 * Before the commit whatever breaks refuses the mail, and nothing of it is left. After it the mail is
 * taken: whatever breaks then is said, and keeps no message from being tried while the process lives.
 */
import { Failure } from '../mail/failure.ts';
import type { IncomingMessage } from '../policy/delivery.ts';
import { didOrSaid } from '../report/log.ts';
import { startTimer } from './alarm.ts';
import type { Claim } from './claim.ts';
import type { Claims } from './claims.ts';
import type { MessageMemory } from './message-memory.ts';
import type { Report } from './prepare-dsn.ts';
import type { QueueIds } from './queue-ids.ts';
import type { QueueServices } from './queue-services.ts';
import { reportExpansions } from './reported.ts';
import type { SenderNotice } from './sender-notice.ts';
import { logNotice, prepareNotice } from './sender-notice.ts';
import type { Acceptance } from './settlement.ts';
import { prepareAcceptance, toBatch } from './settlement.ts';
import type { Waiting } from './waiting.ts';

/** After a turn that broke, until the next one. */
const brokenTurnWaitMs = 1000;

export interface IntakeParts {
  readonly services: QueueServices;
  readonly ids: QueueIds;
  readonly claims: Claims;
  readonly waiting: Waiting;
  readonly memory: MessageMemory;
  readonly isRunning: () => boolean;
  /** Begins whatever may begin now. */
  readonly pump: () => void;
  /** The store refused a batch. */
  readonly onStoreFailure: () => void;
}

/** A message that is about to be accepted, and its deliveries, claimed. */
interface Fresh {
  readonly incoming: IncomingMessage;
  readonly acceptance: Acceptance;
  readonly claims: readonly Claim[];
}

export class Intake {
  readonly #parts: IntakeParts;
  #cancelTurn: (() => void) | null = null;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /** All of them or none, in one commit. Where it rejects, nothing was taken. */
  async accept(incomings: readonly IncomingMessage[]): Promise<void> {
    if (!this.#parts.isRunning()) throw new Failure('queue-stopped', 'the queue is not running');
    const fresh: Fresh[] = [];
    const told: SenderNotice[] = [];
    try {
      for (const incoming of incomings) fresh.push(this.#prepare(incoming));
      for (const each of fresh) {
        const notice = await this.#tellExpanded(each);
        if (notice !== null) told.push(notice);
      }
      await this.#commit(fresh, told);
    } catch (error) {
      for (const { claims } of [...fresh, ...told]) {
        for (const claim of claims) this.#parts.claims.letGo(claim);
      }
      throw error;
    }
    this.#admitAll(fresh, told);
  }

  #prepare(incoming: IncomingMessage): Fresh {
    const { services, ids, claims } = this.#parts;
    const acceptance = prepareAcceptance(services, incoming, ids.keyOf(incoming.id));
    return { incoming, acceptance, claims: claims.claimAll(acceptance.deliveries) };
  }

  async #tellExpanded({ incoming, acceptance }: Fresh): Promise<SenderNotice | null> {
    const { id, recipients: named } = incoming;
    const { message, deliveries } = acceptance;
    const recipients = reportExpansions(named, deliveries, this.#parts.services.now());
    return recipients.length === 0 ? null : this.prepareNotice({ id, message, recipients });
  }

  /** Only what goes wrong from here on is the store's. */
  async #commit(fresh: readonly Fresh[], told: readonly SenderNotice[]): Promise<void> {
    const accepted = [...fresh, ...told].map(({ acceptance }) => acceptance);
    const batch = toBatch(
      { accepted },
      ...fresh.map(({ acceptance }) => acceptance.recorded),
      ...told.flatMap(({ recorded }) => recorded),
    );
    try {
      await this.#parts.services.store.commit(batch);
    } catch (error) {
      this.#parts.onStoreFailure();
      const text = 'the store refused mail, and that could not be said';
      didOrSaid(this.#parts.services.log, { text }, () => this.#noteRefusal(error));
      throw error;
    }
  }

  /** The sender tries again; only what concerns the store as a whole is worth a line. */
  #noteRefusal(error: unknown): void {
    if (!(error instanceof Failure)) return;
    const { code, message } = error;
    if (code !== 'store-full' && code !== 'store-io') return;
    this.#parts.services.outage.failed({ code, reason: message });
  }

  /** After the commit. */
  #admitAll(fresh: readonly Fresh[], told: readonly SenderNotice[]): void {
    const { services } = this.#parts;
    for (const { acceptance, claims } of fresh) this.#admit(acceptance, claims);
    for (const notice of told) this.admitNotice(notice);
    this.#pumpSurely();
    const text = 'mail was accepted; that the store works again could not be said';
    didOrSaid(services.log, { text }, () => services.outage.worked());
  }

  /** What a sender is to be told, prepared and claimed; null where nobody is. */
  prepareNotice(report: Report): Promise<SenderNotice | null> {
    const { services, ids, claims } = this.#parts;
    return prepareNotice(services, ids, claims, report);
  }

  /** After the commit that stored it. */
  admitNotice(notice: SenderNotice): void {
    const { services } = this.#parts;
    this.#admit(notice.acceptance, notice.claims);
    const text = 'a DSN was accepted, and that it was written could not be told';
    didOrSaid(services.log, { queueId: notice.dsn.id, text }, () => logNotice(services, notice));
  }

  /** Committed: from now on it waits in memory as far as there is room, in the store else. */
  #admit({ message, deliveries }: Acceptance, claims: readonly Claim[]): void {
    const { services, waiting, memory, ids } = this.#parts;
    const queueId = ids.idOf(message.key);
    didOrSaid(services.log, { queueId, text: 'accepted, and not counted' }, () => {
      waiting.add(deliveries);
      memory.setNextOrdinal(message.key, deliveries.length);
    });
    for (const claim of claims) {
      const fields = {
        queueId,
        ordinal: claim.delivery.ordinal,
        text: 'accepted, and not begun: it is read from the store for its turn',
      };
      if (didOrSaid(services.log, fields, () => this.#lineUp(claim, message))) continue;
      if (this.#parts.claims.find(claim.name) !== claim || claim.state !== 'accepting') continue;
      didOrSaid(services.log, fields, () => this.#leaveToStore(claim));
    }
  }

  #lineUp(claim: Claim, message: Acceptance['message']): void {
    const { claims, isRunning } = this.#parts;
    if (claim.delivery.state !== 'held' && isRunning() && claims.addFresh(claim, message)) return;
    this.#leaveToStore(claim);
  }

  #leaveToStore(claim: Claim): void {
    const { claims, waiting } = this.#parts;
    const { state, routeKey, dueAtMs } = claim.delivery;
    if (state === 'queued') waiting.wake(routeKey, dueAtMs);
    claims.letGo(claim);
  }

  /** Where a turn breaks there is another one soon, since nothing else may ask for it. */
  #pumpSurely(): void {
    const { services, pump } = this.#parts;
    const text = 'mail was accepted, and beginning it broke: trying again';
    if (didOrSaid(services.log, { text }, pump) || this.#cancelTurn !== null) return;
    didOrSaid(services.log, { text: 'accepted mail waits for the next turn' }, () => {
      this.#cancelTurn = startTimer(services, brokenTurnWaitMs, () => {
        this.#cancelTurn = null;
        this.#pumpSurely();
      });
    });
  }

  /** No further turn. */
  stop(): void {
    this.#cancelTurn?.();
    this.#cancelTurn = null;
  }
}
