/**
 * Trouble of what the gateway stands on (disk, store, DNS): said once when it begins and once when it
 * is over, however much mail it concerns, and counted.
 */
import type { Log } from './log.ts';
import type { Meter } from './meter.ts';

export interface OutageText {
  /** A word of ours, for the meter. */
  readonly what: 'disk' | 'store' | 'dns';
  readonly began: string;
  readonly ended: string;
}

/** `now` in milliseconds, monotonic. */
export interface OutageServices {
  readonly log: Log;
  readonly meter: Meter;
  readonly now?: () => number;
}

/** Without a failure for this long, and with a success, it is over. */
const quietMsDefault = 5000;

export class Outage {
  readonly #text: OutageText;
  readonly #services: OutageServices;
  readonly #quietMs: number;
  readonly #now: () => number;
  #beganMs: number | null = null;
  #failedMs = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(text: OutageText, services: OutageServices, quietMs = quietMsDefault) {
    this.#text = text;
    this.#services = services;
    this.#quietMs = quietMs;
    this.#now = services.now ?? (() => performance.now());
  }

  get isOn(): boolean {
    return this.#beganMs !== null;
  }

  failed(fields: Readonly<Record<string, unknown>>): void {
    this.#failedMs = this.#now();
    this.#cancel();
    if (this.#beganMs !== null) return;
    this.#beganMs = this.#failedMs;
    this.#services.log.error(fields, this.#text.began);
    this.#services.meter.count('outages', { what: this.#text.what, event: 'began' });
  }

  /** What failed works again; cheap, for the ordinary path. */
  worked(): void {
    if (this.#beganMs === null || this.#timer !== null) return;
    const restMs = this.#failedMs + this.#quietMs - this.#now();
    if (restMs <= 0) {
      this.#end(this.#beganMs);
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.worked();
    }, restMs);
    this.#timer.unref();
  }

  #end(beganMs: number): void {
    this.#beganMs = null;
    const lastedSeconds = Math.round((this.#now() - beganMs) / 1000);
    this.#services.log.info({ lastedSeconds }, this.#text.ended);
    this.#services.meter.count('outages', { what: this.#text.what, event: 'ended' });
  }

  #cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** Of a shard and its spool; one for all that write to them. */
export function storeOutage(services: OutageServices): Outage {
  const began =
    'the data folder cannot be written: new mail is put off, and nothing accepted is lost';
  const ended = 'the data folder can be written again: mail is taken';
  return new Outage({ what: 'store', began, ended }, services);
}
