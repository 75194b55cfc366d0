/** What a lane does about a clock that was set and about DNS that fails: said once, then mended. */
import { Failure } from '../mail/failure.ts';
import type { QueueOrder } from '../queue/order.ts';
import type { Queue } from '../queue/queue.ts';
import type { DnsFailure } from '../dns/resolver.ts';
import type { Log } from '../report/log.ts';
import { Outage } from '../report/outage.ts';
import type { OutageServices } from '../report/outage.ts';
import type { DnsEvents } from './lane-resolver.ts';

/** Once per step; what waits is moved along by the queue. */
export function noteClockJump({ log, meter }: OutageServices, byMs: number): void {
  const way = byMs > 0 ? 'forward' : 'back';
  const text =
    `the clock was set ${way}, or the machine slept; what waits is neither sooner nor later for it, ` +
    'and certificates are judged by the new time';
  log.warn({ bySeconds: Math.round(byMs / 1000) }, text);
  meter.count('clockJumps', { way });
}

/** One for all resolvers that reloads bring. When DNS is back, what waits because of it is tried. */
export class DnsTrouble implements DnsEvents {
  readonly #log: Log;
  readonly #outage: Outage;
  readonly #hostName: () => string;
  #queue: Queue | null = null;

  constructor(services: OutageServices, hostName: () => string) {
    const text = {
      what: 'dns',
      began: 'DNS does not answer: mail to other domains waits and is tried again',
      ended: 'DNS answers again: what waited for it is tried now',
    } as const;
    this.#log = services.log;
    this.#hostName = hostName;
    this.#outage = new Outage(text, services, 0);
  }

  /** From now on this queue's mail. */
  mends(queue: Queue): void {
    this.#queue = queue;
  }

  get hostName(): string {
    return this.#hostName();
  }

  get isOut(): boolean {
    return this.#outage.isOn;
  }

  began({ code, reason }: DnsFailure): void {
    this.#outage.failed({ code, reason });
  }

  ended(): void {
    this.#outage.worked();
    if (this.#queue === null) return;
    retryAfterDns(this.#queue).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      const fields = { code: error.code, reason: error.message };
      this.#log.warn(fields, 'mail that waited for DNS waits for its next attempt');
    });
  }
}

async function retryAfterDns(queue: Queue): Promise<void> {
  const order = {
    action: 'retry',
    match: { cause: 'dns', state: 'queued' },
    by: 'the gateway, as DNS answers again',
    acceptsWeakerPolicy: false,
  } as const;
  let after: QueueOrder['after'] = null;
  do {
    after = (await queue.command({ ...order, after })).next;
  } while (after !== null);
}
