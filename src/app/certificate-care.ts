/**
 * Looks after the files that the configuration names while the gateway runs: what was renewed is in
 * force within seconds, what is about to expire is said in time.
 *
 * It looks at fingerprints, by time: events of the file system miss symbolic links that are swapped and
 * files on network disks. A change counts once two looks found the same, so that files which are being
 * written are left alone.
 */
import type { Log } from '../report/log.ts';
import { formatProblem } from '../config/problem.ts';
import { findExpiries } from './expiry.ts';
import { notAllowed, readFingerprint } from './held-files.ts';
import type { Reloader } from './reloader.ts';
import { renewFiles } from './renew-files.ts';

export interface CareParts {
  readonly reloader: Pick<Reloader, 'inForce' | 'replace'>;
  readonly log: Log;
  readonly now?: () => number;
  /** Seams for tests. */
  readonly lookEveryMs?: number;
  readonly retryMs?: number;
}

export interface CertificateCare {
  /** Sentences of now: what expires soon, what was not taken, what cannot be watched. */
  warnings(): readonly string[];
  close(): void;
}

const lookEveryMs = 1000;
/** What was refused is tried again after so long, although it did not change. */
const retryMs = 30_000;

export function careForCertificates(parts: CareParts): CertificateCare {
  const care = new Care(parts);
  care.start();
  return care;
}

class Care implements CertificateCare {
  readonly #parts: CareParts;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | null = null;
  #seen = '';
  #tried: { readonly state: string; readonly againAtMs: number } | null = null;
  #complaints: readonly string[] = [];
  #unwatched: readonly string[] = [];
  /** What was said of expiry, so that each step is logged once. */
  readonly #said = new Set<string>();
  #isClosed = false;

  constructor(parts: CareParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
  }

  start(): void {
    this.#tellExpiries();
    this.#lookLater();
  }

  warnings(): readonly string[] {
    const { inForce } = this.#parts.reloader;
    const expiries = findExpiries(inForce, this.#now()).map(({ text }) => text);
    const unwatched = this.#unwatched.map(
      (path) => `${path} cannot be looked at (permission denied): renewing it needs a restart`,
    );
    return [...expiries, ...this.#complaints, ...unwatched];
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #lookLater(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      void this.#look()
        .catch((error: unknown) => {
          this.#parts.log.error({ err: error }, 'looking after certificates failed');
        })
        .then(() => this.#lookLater());
    }, this.#parts.lookEveryMs ?? lookEveryMs);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    this.#tellExpiries();
    const { config, files } = this.#parts.reloader.inForce;
    const paths = [...new Set(config.files.map(({ path }) => path))];
    const found = await Promise.all(paths.map(readFingerprint));
    this.#unwatched = paths.filter((_, place) => found[place] === notAllowed);
    const isChanged = paths.some(
      (path, place) => found[place] !== notAllowed && found[place] !== files.get(path)?.fingerprint,
    );
    const state = JSON.stringify([paths, found]);
    const isSettled = state === this.#seen;
    this.#seen = state;
    if (!isChanged) this.#complaints = [];
    if (!isChanged || !isSettled) return;
    if (this.#tried?.state === state && performance.now() < this.#tried.againAtMs) return;
    await this.#renew();
    this.#tried = { state, againAtMs: performance.now() + (this.#parts.retryMs ?? retryMs) };
  }

  async #renew(): Promise<void> {
    const { reloader, log } = this.#parts;
    let complaints: readonly string[] = [];
    let taken: readonly string[] = [];
    const refused = await reloader.replace(async (inForce) => {
      const renewal = await renewFiles(inForce, this.#now());
      ({ complaints, taken } = renewal);
      return renewal.next === null ? null : { configuration: renewal.next };
    });
    if (refused !== null) complaints = [...complaints, ...refused.map(formatProblem)];
    else if (taken.length > 0) log.info({ files: taken }, 'renewed certificates are in use');
    for (const complaint of complaints) {
      if (!this.#complaints.includes(complaint)) log.error({}, complaint);
    }
    this.#complaints = complaints;
  }

  #tellExpiries(): void {
    for (const { id, text } of findExpiries(this.#parts.reloader.inForce, this.#now())) {
      if (this.#said.has(id)) continue;
      this.#said.add(id);
      this.#parts.log.warn({}, text);
    }
  }
}
