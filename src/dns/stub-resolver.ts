/**
 * The real resolver: asks full-service resolvers, keeps their AD bit, and remembers the answers.
 *
 * For delivery, receiving and https. It validates nothing itself: AD counts only from servers on
 * loopback or from those that the configuration trusts, since anyone on the way could set it.
 * @see RFC 1034 §5.3.1, RFC 6840 §5.7, RFC 2308 §5, RFC 9520 §3.2
 */
import assert from 'node:assert/strict';
import net from 'node:net';
import { AnswerCache } from './answer-cache.ts';
import { askServer } from './ask-server.ts';
import { interpret } from './interpret.ts';
import type { DnsMessage } from './message.ts';
import { responseCodes } from './message.ts';
import { aliasHopsMax, clampTtl, failAnswer, ttlSecondsMin } from './question.ts';
import type { AnswerTo, Question, QuestionType } from './question.ts';
import type { DnsAnswer, DnsFailure, DnsFailureCode, Resolver } from './resolver.ts';
import { resolveWith } from './resolve-with.ts';
import { answerLocalhost } from './special-names.ts';
import type { DnsServer } from './system-servers.ts';

/** `servers` as from `readSystemServers`, never empty, asked in this order. */
export interface StubResolverSettings {
  readonly servers: readonly DnsServer[];
  /**
   * Whether the AD bit of servers on loopback counts. Not for a forwarder there that passes the bit
   * on from elsewhere.
   */
  readonly trustsLoopback: boolean;
  /** Addresses of servers besides whose AD bit counts. */
  readonly trustedServers: readonly string[];
  /** For each question to each server. */
  readonly timeoutMs: number;
  /** How often the list of servers is gone through. */
  readonly rounds: number;
  /** For a whole question, with all servers, rounds and aliases. */
  readonly deadlineMs: number;
  /** Questions under way at once; further ones fail as `busy`. */
  readonly outstandingMax: number;
  readonly cacheEntriesMax: number;
  readonly cacheBytesMax: number;
  /** Called with each answer that did not come from memory. */
  readonly observe: (answer: DnsAnswer<unknown>) => void;
  /** A monotonic clock in milliseconds, for the cache. */
  readonly now: () => number;
}

/** Everything but the servers. */
export const stubResolverDefaults: Omit<StubResolverSettings, 'servers'> = {
  trustsLoopback: true,
  trustedServers: [],
  timeoutMs: 5000,
  rounds: 2,
  deadlineMs: 30_000,
  outstandingMax: 500,
  cacheEntriesMax: 10_000,
  cacheBytesMax: 8 * 1024 * 1024,
  observe: () => undefined,
  now: () => performance.now(),
};

/** `close` ends questions under way as `closed`, and so every later one. */
export interface StubResolver extends Resolver {
  close(): void;
  /** Asks the servers for the address of a name, whatever is remembered. */
  probe(name: string): Promise<DnsAnswer<unknown>>;
  /** Failures are remembered for seconds; the next question after this is asked anew. */
  forgetFailures(): void;
  /** For metrics. */
  counts(): { readonly outstanding: number; readonly cached: number };
}

/** Settings that name no server or no IP address are the caller's mistake. */
export function createStubResolver(
  settings: Pick<StubResolverSettings, 'servers'> & Partial<StubResolverSettings>,
): StubResolver {
  const client = new StubClient({ ...stubResolverDefaults, ...settings });
  return {
    ...resolveWith((type, name) => client.ask(type, name)),
    close: () => client.close(),
    probe: (name) => client.probe(name),
    forgetFailures: () => client.forgetFailures(),
    counts: () => client.counts(),
  };
}

type Trust = Pick<StubResolverSettings, 'trustsLoopback' | 'trustedServers'>;

/** Whether the AD bit of a server's answers counts. */
export function isTrustedServer(address: string, trust: Trust): boolean {
  if (trust.trustedServers.includes(address)) return true;
  const bare = address.replace(/%.*$/, '');
  return trust.trustsLoopback && loopback.check(bare, net.isIPv6(bare) ? 'ipv6' : 'ipv4');
}

const loopback = new net.BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** One message that can be read, and whether its sender may vouch for it. */
interface Reply {
  readonly kind: 'reply';
  readonly message: DnsMessage;
  readonly sizeBytes: number;
  readonly isAuthentic: boolean;
}

interface Looked<T extends QuestionType> {
  readonly answer: AnswerTo<T>;
  readonly ttlSeconds: number;
  readonly sizeBytes: number;
}

class StubClient {
  readonly #settings: StubResolverSettings;
  readonly #cache: AnswerCache;
  readonly #underWay = new Map<string, Promise<AnswerTo<QuestionType>>>();
  readonly #closing = new AbortController();

  constructor(settings: StubResolverSettings) {
    assert.ok(settings.servers.length > 0, 'a resolver needs a server');
    for (const { address } of settings.servers) assert.notEqual(net.isIP(address), 0, address);
    this.#settings = settings;
    const { cacheEntriesMax: entriesMax, cacheBytesMax: bytesMax } = settings;
    this.#cache = new AnswerCache({ entriesMax, bytesMax });
  }

  counts(): { outstanding: number; cached: number } {
    return { outstanding: this.#underWay.size, cached: this.#cache.size };
  }

  close(): void {
    this.#closing.abort();
    this.#cache.clear();
  }

  forgetFailures(): void {
    this.#cache.forgetFailures();
  }

  async probe(name: string): Promise<AnswerTo<'A'>> {
    return (await this.#look({ type: 'A', name })).answer;
  }

  /** From the cache, else from a question already under way, else from the servers. */
  ask<T extends QuestionType>(type: T, name: string): Promise<AnswerTo<T>> {
    const key = `${type} ${name}`;
    const known = this.#cache.find(key, this.#settings.now());
    if (known !== null) return Promise.resolve(known as AnswerTo<T>);
    const joined = this.#underWay.get(key);
    if (joined !== undefined) return joined as Promise<AnswerTo<T>>;
    if (this.#closing.signal.aborted) {
      return Promise.resolve(failAnswer({ type, name }, 'closed', 'the resolver is closed'));
    }
    if (this.#underWay.size >= this.#settings.outstandingMax) {
      return Promise.resolve(failAnswer({ type, name }, 'busy', 'too many questions under way'));
    }
    const asked = this.#askAndKeep({ type, name }, key);
    this.#underWay.set(key, asked);
    return asked;
  }

  async #askAndKeep<T extends QuestionType>(
    question: Question & { readonly type: T },
    key: string,
  ): Promise<AnswerTo<T>> {
    try {
      const { answer, ttlSeconds, sizeBytes } = await this.#look(question);
      this.#settings.observe(answer);
      const hasFailedHere = answer.kind === 'failed' && answer.code === 'closed';
      if (!hasFailedHere) {
        const expiresAtMs = this.#settings.now() + clampTtl(ttlSeconds) * 1000;
        this.#cache.keep(key, { answer, expiresAtMs, bytes: sizeBytes + 2 * key.length });
      }
      return answer;
    } finally {
      this.#underWay.delete(key);
    }
  }

  /** Follows aliases within messages and, where a message stops short, by further questions. */
  async #look<T extends QuestionType>(
    question: Question & { readonly type: T },
  ): Promise<Looked<T>> {
    const deadline = performance.now() + this.#settings.deadlineMs;
    let { name } = question;
    let isAuthentic = true;
    let ttl = Infinity;
    let hops = 0;
    while (hops <= aliasHopsMax) {
      const reply = await this.#askServers({ type: question.type, name }, deadline);
      if (reply.kind === 'failed') return lookFailed(reply);
      isAuthentic &&= reply.isAuthentic;
      const said = interpret(reply.message, { type: question.type, name });
      if (said.kind === 'failed') return lookFailed(failAnswer(question, said.code, said.detail));
      const { sizeBytes } = reply;
      const ttlSeconds = clampTtl(Math.min(ttl, said.ttlSeconds));
      hops += said.hops;
      if (hops > aliasHopsMax) break;
      if (said.kind === 'found') {
        const { records } = said;
        const answer: AnswerTo<T> = { kind: 'found', records, isAuthentic, ttlSeconds };
        return { answer, ttlSeconds, sizeBytes };
      }
      if (said.kind !== 'alias') {
        return { answer: { kind: said.kind, isAuthentic }, ttlSeconds, sizeBytes };
      }
      const local = answerLocalhost(question.type, said.target);
      if (local !== null) return { answer: local, ttlSeconds, sizeBytes };
      name = said.target;
      ttl = Math.min(ttl, said.ttlSeconds);
    }
    return lookFailed(failAnswer(question, 'alias-loop', `more than ${aliasHopsMax} aliases`));
  }

  /**
   * Goes through the servers until one says something about the name. One that failed for a reason
   * that will not pass in seconds is not asked again.
   */
  async #askServers(question: Question, deadline: number): Promise<Reply | DnsFailure> {
    const { rounds } = this.#settings;
    const problems = new Map<string, string>();
    let candidates = this.#settings.servers;
    let code: DnsFailureCode = 'timeout';
    for (let round = 0; round < rounds; round++) {
      const again: DnsServer[] = [];
      for (const server of candidates) {
        // A timer may ring a fraction of a millisecond early: in that no server answers.
        if (deadline - performance.now() < 1) break;
        const result = await this.#askOne(server, question, deadline);
        if (result.kind === 'reply') return result;
        code = result.code;
        if (code === 'closed') return failAnswer(question, code, 'the resolver was closed');
        problems.set(describeServer(server), result.detail);
        if (code === 'timeout' || code === 'network') again.push(server);
      }
      candidates = again;
    }
    const details = Array.from(problems, ([server, problem]) => `${server} ${problem}`);
    return failAnswer(question, code, details.join(', ') || 'no time left to ask a server');
  }

  async #askOne(
    server: DnsServer,
    question: Question,
    deadline: number,
  ): Promise<Reply | ServerFailure> {
    const { signal } = this.#closing;
    const timeLeft = Math.max(1, Math.ceil(deadline - performance.now()));
    const timeoutMs = Math.min(this.#settings.timeoutMs, timeLeft);
    const options = { server, question, timeoutMs, signal };
    let reply = await askServer({ ...options, hasEdns: true });
    if (reply.kind === 'message' && reply.message.responseCode === responseCodes.formErr) {
      // A server from before EDNS; without DO it cannot vouch, but it can answer. RFC 6891 §6.2.2
      reply = await askServer({ ...options, hasEdns: false });
    }
    if (reply.kind === 'failed') return reply;
    const { message, sizeBytes } = reply;
    const failure = failureOf(message);
    if (failure !== null) return failure;
    const isAuthentic = message.isAuthenticData && isTrustedServer(server.address, this.#settings);
    return { kind: 'reply', message, sizeBytes, isAuthentic };
  }
}

function describeServer({ address, port }: DnsServer): string {
  return port === 53 ? address : `${address} port ${port}`;
}

interface ServerFailure {
  readonly kind: 'failed';
  readonly code: DnsFailureCode;
  readonly detail: string;
}

/** Failures are remembered too, briefly, so that a broken zone is not asked about in a loop. */
function lookFailed(answer: DnsFailure): Looked<never> {
  return { answer, ttlSeconds: ttlSecondsMin, sizeBytes: 0 };
}

function failureOf({ responseCode }: DnsMessage): ServerFailure | null {
  switch (responseCode) {
    case responseCodes.noError:
    case responseCodes.nxDomain:
      return null;
    case responseCodes.servFail:
      return { kind: 'failed', code: 'servfail', detail: 'answered SERVFAIL' };
    case responseCodes.refused:
      return { kind: 'failed', code: 'refused', detail: 'answered REFUSED' };
    default:
      return { kind: 'failed', code: 'servfail', detail: `answered with code ${responseCode}` };
  }
}
