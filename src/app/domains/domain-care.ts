/**
 * Looks after accepted domains while the gateway runs: what is not proven is looked up at the start, at
 * each reload and from time to time, and what was proven is put in force on every lane at once.
 *
 * It belongs to the control process; lanes know of it by the policy alone.
 */
import type { Config } from '../../config/config.ts';
import { formatProblem } from '../../config/problem.ts';
import { Failure } from '../../mail/failure.ts';
import type { Log } from '../../report/log.ts';
import type { Configuration } from '../configuration.ts';
import { foldersOf } from '../data-folder.ts';
import type { ClosableResolver } from '../lane-resolver.ts';
import type { Reloader } from '../reloader.ts';
import { claimsOf, keyOf, unprovenOf } from './claims.ts';
import type { Claim } from './claims.ts';
import { afterLook, neverLooked } from './look-plan.ts';
import type { LookState } from './look-plan.ts';
import { lookForProof, noAnswer } from './look-up.ts';
import type { Look } from './look-up.ts';
import type { ProvenBook, ProvenDomain } from './proven-book.ts';
import { openVerificationSecret, tokenFor } from './verification-secret.ts';

export interface DomainCareParts {
  readonly reloader: Pick<Reloader, 'inForce' | 'replace'>;
  readonly book: ProvenBook;
  readonly log: Log;
  /** One for each round, so that no answer of before is remembered. */
  readonly openResolver: (config: Config) => Promise<ClosableResolver>;
  readonly now?: () => number;
  /** Not changed by a clock that is set. */
  readonly steadyNow?: () => number;
}

/** What is known of one claim, for showing. */
export interface KnownClaim extends Claim {
  /** Null while it is not needed, and where there is no secret to make it. */
  readonly token: string | null;
  readonly proven: ProvenDomain | null;
  readonly look: { readonly last: Look | null; readonly nextAt: string } | null;
}

export interface DomainCare {
  list(): Promise<readonly KnownClaim[]>;
  /** Looks now, whatever was planned. Throws a Failure `domain-unknown`. */
  verify(domain: string): Promise<KnownClaim>;
  /** Another configuration is in force; our own changes of it are known. */
  onSwap(next: Configuration): void;
  /** Sentences of now, for the status. */
  warnings(): readonly string[];
  close(): void;
}

const looksAtOnceMax = 10;
const looksPerRoundMax = 200;
/** After a round that failed for a reason of this machine. */
const retryMs = 60_000;
const roundsApartMinMs = 1_000;
const roundsApartMaxMs = 3_600_000;
const namedMax = 20;

export function careForDomains(parts: DomainCareParts): DomainCare {
  const care = new Care(parts);
  care.start();
  return care;
}

class Care implements DomainCare {
  readonly #parts: DomainCareParts;
  readonly #now: () => number;
  readonly #steadyNow: () => number;
  readonly #looks = new Map<string, LookState>();
  /** Of claims and what was found, so that each is said once. */
  readonly #said = new Set<string>();
  #secret: string | null = null;
  #secretProblem: string | null = null;
  #opening: Promise<string | null> | null = null;
  #last: Promise<void> = Promise.resolve();
  /** The next round, null while none is planned. */
  #planned: { readonly atMs: number; readonly timer: NodeJS.Timeout } | null = null;
  /** What this made of the configuration in force. */
  #own: Configuration | null = null;
  #isClosed = false;

  constructor(parts: DomainCareParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
    this.#steadyNow = parts.steadyNow ?? (() => performance.now());
  }

  start(): void {
    const { problem } = this.#parts.book;
    if (problem !== null) this.#parts.log.error({}, `${problem}; ${nothingProven}`);
    this.onSwap(this.#parts.reloader.inForce);
  }

  onSwap(next: Configuration): void {
    if (next === this.#own) return;
    this.#parts.book.forgetMoved(next.policy);
    this.#looks.clear();
    this.#roundSoon(0);
  }

  async list(): Promise<readonly KnownClaim[]> {
    const claims = claimsOf(this.#parts.reloader.inForce);
    const secret = claims.some((claim) => isOpen(claim)) ? await this.#openSecret() : null;
    return claims.map((claim) => this.#describe(claim, secret));
  }

  async verify(domain: string): Promise<KnownClaim> {
    const claim = this.#findClaim(domain);
    const secret = isOpen(claim) ? await this.#openSecret() : null;
    if (secret !== null) {
      this.#looks.delete(keyOf(claim));
      await this.#lookAt([claim], secret);
      this.#roundSoon(0);
    }
    return this.#describe(this.#findClaim(domain), secret);
  }

  warnings(): readonly string[] {
    const { book, reloader } = this.#parts;
    const names = unprovenOf(reloader.inForce).map(({ accepted }) => accepted.domain);
    const more = names.length > namedMax ? ` and ${names.length - namedMax} more` : '';
    const what = `${names.slice(0, namedMax).join(', ')}${more}`;
    return [
      ...(book.problem === null ? [] : [`${book.problem}; ${nothingProven}`]),
      ...(this.#secretProblem === null ? [] : [this.#secretProblem]),
      ...(names.length === 0
        ? []
        : [`mail for ${what} is put off until it is proven whose it is: see postern domain list`]),
    ];
  }

  close(): void {
    this.#isClosed = true;
    if (this.#planned !== null) clearTimeout(this.#planned.timer);
  }

  #findClaim(domain: string): Claim {
    const claims = claimsOf(this.#parts.reloader.inForce);
    const claim = claims.find(({ accepted }) => accepted.domain === domain);
    if (claim !== undefined) return claim;
    throw new Failure('domain-unknown', `${domain} is no accepted domain of this gateway`);
  }

  #describe(claim: Claim, secret: string | null): KnownClaim {
    const { organization, accepted } = claim;
    const token =
      secret === null || !isOpen(claim) ? null : tokenFor(secret, organization, accepted.domain);
    const proven = this.#parts.book.find(organization, accepted.domain);
    const state = this.#looks.get(keyOf(claim));
    if (state === undefined) return { ...claim, token, proven, look: null };
    const nextAtMs = this.#now() + state.nextAtMs - this.#steadyNow();
    const look = { last: state.last, nextAt: new Date(nextAtMs).toISOString() };
    return { ...claim, token, proven, look };
  }

  /** What is planned sooner stays planned: a round that ends knows nothing of a reload since it began. */
  #roundSoon(waitMs: number): void {
    if (this.#isClosed) return;
    const inMs = Math.min(waitMs, roundsApartMaxMs);
    const atMs = performance.now() + inMs;
    if (this.#planned !== null && this.#planned.atMs <= atMs) return;
    if (this.#planned !== null) clearTimeout(this.#planned.timer);
    const timer = setTimeout(() => {
      this.#planned = null;
      void this.#inTurn();
    }, inMs);
    timer.unref();
    this.#planned = { atMs, timer };
  }

  async #inTurn(): Promise<void> {
    const round = this.#last.then(() => this.#round());
    this.#last = round.then(
      (waitMs) => this.#roundSoon(waitMs),
      (error: unknown) => {
        this.#parts.log.error({ err: error }, 'looking after domains failed');
        this.#roundSoon(retryMs);
      },
    );
    await this.#last;
  }

  /** How long until the next one. */
  async #round(): Promise<number> {
    const retryInMs = (await this.#save()) ? Infinity : retryMs;
    await this.#putInForce();
    const unproven = unprovenOf(this.#parts.reloader.inForce);
    if (unproven.length === 0) return retryInMs;
    const secret = await this.#openSecret();
    if (secret === null) return retryMs;
    const nowMs = this.#steadyNow();
    const due = unproven.filter((claim) => this.#stateOf(claim).nextAtMs <= nowMs);
    await this.#lookAt(due.slice(0, looksPerRoundMax), secret);
    let waitMs = retryInMs;
    for (const claim of unprovenOf(this.#parts.reloader.inForce)) {
      waitMs = Math.min(waitMs, this.#stateOf(claim).nextAtMs - this.#steadyNow());
    }
    return Math.max(roundsApartMinMs, waitMs);
  }

  #stateOf(claim: Claim): LookState {
    return this.#looks.get(keyOf(claim)) ?? neverLooked;
  }

  async #lookAt(claims: readonly Claim[], secret: string): Promise<void> {
    if (claims.length === 0) return;
    const { openResolver, reloader } = this.#parts;
    const resolver = await openResolver(reloader.inForce.config).catch((error: unknown) => {
      const look = noAnswer(error instanceof Error ? error.message : String(error), this.#now());
      for (const claim of claims) this.#note(claim, look);
      return null;
    });
    if (resolver === null) return;
    const proven: ProvenDomain[] = [];
    try {
      let next = 0;
      const worker = async (): Promise<void> => {
        while (next < claims.length && !this.#isClosed) {
          const claim = claims[next++]!;
          if (await this.#lookAtOne(claim, secret, resolver)) proven.push(this.#provenNow(claim));
        }
      };
      await Promise.all(Array.from({ length: looksAtOnceMax }, worker));
    } finally {
      resolver.close();
    }
    if (proven.length > 0) await this.#keep(proven);
  }

  #provenNow({ organization, accepted }: Claim): ProvenDomain {
    const provenAt = new Date(this.#now()).toISOString();
    return { domain: accepted.domain, organization, provenAt };
  }

  async #lookAtOne(claim: Claim, secret: string, resolver: ClosableResolver): Promise<boolean> {
    const { organization, accepted } = claim;
    const { domain } = accepted;
    const token = tokenFor(secret, organization, domain);
    const look = await lookForProof(resolver, { domain, token, nowMs: this.#now() });
    this.#note(claim, look);
    return look.result === 'proven';
  }

  #note(claim: Claim, look: Look): void {
    const { organization, accepted } = claim;
    const { domain } = accepted;
    this.#looks.set(keyOf(claim), afterLook(this.#stateOf(claim), look, this.#steadyNow()));
    const news = `${keyOf(claim)}\n${look.result}`;
    if (look.result === 'proven' || this.#said.has(news)) return;
    this.#said.add(news);
    const fields = { domain, organization, result: look.result };
    const text = `mail for ${domain} is put off until it is proven whose it is (${look.text}); postern domain list shows what to publish`;
    this.#parts.log.warn(fields, text);
  }

  /** First on the disk, then in force: what is taken once stays so after a crash. */
  async #keep(proven: readonly ProvenDomain[]): Promise<void> {
    const { book, log } = this.#parts;
    book.add(proven);
    await this.#save();
    if (!(await this.#putInForce())) return;
    for (const { domain, organization } of proven) {
      log.info({ domain, organization }, `${domain} is proven; its mail is taken`);
    }
  }

  /** False where the lanes refused; the next round tries again. */
  async #putInForce(): Promise<boolean> {
    const { book, log, reloader } = this.#parts;
    if (book.applyTo(reloader.inForce.policy) === reloader.inForce.policy) return true;
    const refused = await reloader.replace((inForce) => {
      const policy = book.applyTo(inForce.policy);
      if (policy === inForce.policy) return Promise.resolve(null);
      this.#own = { ...inForce, policy };
      return Promise.resolve({ configuration: this.#own });
    });
    for (const problem of refused ?? []) log.error({}, formatProblem(problem));
    return refused === null;
  }

  async #save(): Promise<boolean> {
    const { book, log } = this.#parts;
    try {
      await book.save();
      return true;
    } catch (error) {
      const text = 'what was proven of domains cannot be kept on the disk; it is tried again';
      log.error({ err: error }, text);
      return false;
    }
  }

  /** Null where it can neither be read nor made. Whoever asks meanwhile waits for the same one. */
  #openSecret(): Promise<string | null> {
    this.#opening ??= this.#readSecret().finally(() => (this.#opening = null));
    return this.#opening;
  }

  async #readSecret(): Promise<string | null> {
    if (this.#secret !== null) return this.#secret;
    const { log, reloader } = this.#parts;
    const file = foldersOf(reloader.inForce.config.dataFolder).verificationSecret;
    try {
      const { secret, hasReplaced } = await openVerificationSecret(file);
      if (hasReplaced) {
        log.error({}, `${file} was damaged: TXT records that were published count no more`);
      }
      this.#secretProblem = null;
      return (this.#secret = secret);
    } catch (error) {
      const { code = 'unknown error' } = error as NodeJS.ErrnoException;
      const problem = `no domain can be proven: ${file} can neither be read nor made (${code})`;
      if (this.#secretProblem === null) log.error({ err: error }, problem);
      this.#secretProblem = problem;
      return null;
    }
  }
}

const nothingProven = 'nothing is proven by it, and every domain is looked up again';

function isOpen({ accepted, needsProof }: Claim): boolean {
  return needsProof && !accepted.isProven;
}
