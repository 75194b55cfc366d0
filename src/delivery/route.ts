/**
 * One route of one attempt: candidate after candidate, until every recipient has a final outcome or
 * no host is left.
 *
 * A failure of the host (or 4yz) leads to the next candidate, 5yz to RCPT, MAIL or the content does
 * not. Nothing but a proceed verdict of `judgeTls` sends.
 * @see RFC 5321 §5.1, RFC 3207 §4.1, RFC 2033 §4.2
 */
import type { MailParameters } from '../mail/envelope.ts';
import { mailParametersOf } from '../mail/envelope.ts';
import type { Recipient } from '../mail/recipient.ts';
import type { EnhancedStatus } from '../mail/enhanced-status.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import { classifyAccepted, classifyTrouble, deferUnproven } from '../policy/classify.ts';
import type { HandOver, Trouble } from '../policy/classify.ts';
import { mayGoClear } from '../policy/clear-text.ts';
import type { ClearTextAllowance } from '../policy/clear-text.ts';
import type { OutboundDecision } from '../policy/decision.ts';
import type { CandidateRecord, Delivery } from '../policy/delivery.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { Outcome, RemoteMta } from '../policy/outcome.ts';
import { judgeShadow } from '../policy/shadow.ts';
import { judgeTls } from '../policy/tls-verdict.ts';
import type { TlsRefusal } from '../policy/tls-verdict.ts';
import { isForced } from '../policy/tls-requirement.ts';
import type { Requirement } from '../policy/tls-requirement.ts';
import type { Body } from '../smtp/client-body.ts';
import type { ClientSession } from '../smtp/client-session.ts';
import { beginTransaction } from '../smtp/client-transaction.ts';
import type { TransactionResult } from '../smtp/client-transaction.ts';
import { describePlace } from './connect.ts';
import type { Target } from './connect.ts';
import type { HostHealth, HostState } from './host-health.ts';
import { findNeeded } from './needed-parameters.ts';
import type { PlannedHost } from './planned-host.ts';
import type { Job, JobResult } from './destination.ts';
import type { Pool } from './pool.ts';
import { isFinal, isStale, isWornOut, troubleOf, weightOf } from './recipient-result.ts';
import type { DeliveryServices } from './services.ts';
import type { SmallHelloMemory } from './small-hello.ts';
import { targetOf } from './target.ts';

export interface RouteTask {
  readonly delivery: Delivery;
  readonly body: Body;
  readonly decision: OutboundDecision;
  readonly requirement: Requirement;
  readonly recipients: readonly Recipient[];
  readonly hosts: readonly PlannedHost[];
  /** Whether a reload since has changed what is decided for these recipients. */
  readonly isSuperseded: () => boolean;
}

export interface RouteResult {
  readonly candidates: readonly CandidateRecord[];
  /** One per recipient of the task, in its order. */
  readonly outcomes: readonly Outcome[];
  /** Also false where hosts were left out because the attempt was cut. */
  readonly hasFailedTlsOnly: boolean;
  /** Superseded before anything came of the first host. */
  readonly isUntried: boolean;
}

export interface RouteTools {
  readonly services: DeliveryServices;
  readonly pool: Pool;
  readonly smallHellos: SmallHelloMemory;
  readonly health: HostHealth;
}

/** Where to go on after a try. */
type Next = 'next-address' | 'next-host' | 'stop';

/** Tries that kept connections, dead or worn out, may cost before it counts as a failure. */
const staleTriesMax = 3;

export async function attemptRoute(tools: RouteTools, task: RouteTask): Promise<RouteResult> {
  return new RouteAttempt(tools, task).run();
}

class RouteAttempt {
  readonly #tools: RouteTools;
  readonly #task: RouteTask;
  readonly #allowance: ClearTextAllowance | null;
  readonly #candidates: CandidateRecord[] = [];
  /** Final ones, and for recipients still pending the best that is known to say. */
  readonly #outcomes: (Outcome | null)[];
  /** Places of recipients that another host may still take. */
  #pending: number[];
  /** Hosts that were asked to take the message. */
  readonly #transactionHosts = new Set<string>();
  /** What MAIL declares: at first what was declared to us, later only what the message needs. */
  #parameters: MailParameters;
  #isExamined = false;
  /** What became of the host that is being tried; null while nothing is known. */
  #hostState: HostState | null = null;
  #isUntried = false;
  #hasBegun = false;
  #untilMs = Infinity;
  #reached = 0;
  #failedTls = 0;

  constructor(tools: RouteTools, task: RouteTask) {
    this.#tools = tools;
    this.#task = task;
    const { decision, requirement, delivery } = task;
    this.#allowance = mayGoClear(decision, requirement, delivery.floor, delivery.failedTlsAtMs);
    this.#outcomes = task.recipients.map(() => null);
    this.#pending = task.recipients.map((_, i) => i);
    this.#parameters = mailParametersOf(delivery);
  }

  async run(): Promise<RouteResult> {
    const { services } = this.#tools;
    const { attemptMs, transactionHostsMax } = services.limits;
    this.#untilMs = services.steadyNow() + attemptMs;
    let isCut = false;
    for (const host of this.#task.hosts) {
      if (this.#pending.length === 0 || this.#transactionHosts.size >= transactionHostsMax) break;
      isCut = this.#isOverdue() || (await this.#tryHost(host)) === 'stop';
      if (isCut) break;
    }
    return {
      candidates: this.#candidates,
      outcomes: this.#outcomes.map((outcome) => outcome ?? this.#untried()),
      hasFailedTlsOnly: !isCut && this.#reached > 0 && this.#reached === this.#failedTls,
      isUntried: this.#isUntried,
    };
  }

  #isOverdue(): boolean {
    return this.#tools.services.steadyNow() > this.#untilMs;
  }

  #untried(): Outcome {
    const reason = this.#isOverdue() ? 'the attempt took too long' : 'no host was tried';
    const trouble = { kind: 'local', code: '4.3.0', reason } as const;
    return classifyTrouble(trouble, { remoteMta: null, at: this.#now() });
  }

  async #tryHost(host: PlannedHost): Promise<Next> {
    if (host.trouble !== null) {
      const remote = { hostName: host.hostName, address: null, port: host.port };
      this.#note(classifyTrouble(host.trouble, { remoteMta: remote, at: this.#now() }));
      const { reason } = this.#outcomes[this.#pending[0]!]!;
      this.#record(remote, null, { kind: 'not-judged', reason });
      return 'next-host';
    }
    this.#hostState = null;
    const next = await this.#tryAddresses(host);
    const { delivery, requirement } = this.#task;
    const scope = { organization: delivery.organization, requirement };
    if (this.#hostState !== null) this.#tools.health.note(scope, host, this.#hostState);
    return next;
  }

  async #tryAddresses(host: PlannedHost): Promise<Next> {
    for (const address of host.addresses) {
      const next = await this.#tryAddress(host, address);
      if (next !== 'next-address') return next;
    }
    return 'next-host';
  }

  /** One address that is of use makes the host well, whatever the others are. */
  #sawHost(state: HostState): void {
    if (this.#hostState !== 'well') this.#hostState = state;
  }

  /** All recipients that are still pending, in transactions of bounded size. */
  async #tryAddress(host: PlannedHost, address: string): Promise<Next> {
    const { recipientsPerTransactionMax: most } = this.#tools.services.limits;
    const places = this.#pending;
    let next: Next = 'next-host';
    for (let from = 0; from < places.length; from += most) {
      if (from > 0 && this.#isOverdue()) return 'stop';
      next = await this.#tryTarget(this.#targetOf(host, address), places.slice(from, from + most));
      if (next !== 'next-host') return next;
    }
    return next;
  }

  #targetOf(host: PlannedHost, address: string): Target {
    const { decision, requirement } = this.#task;
    const smallClientHello = this.#tools.smallHellos.has(address, host.port, requirement);
    return targetOf({ decision, requirement, host, address, smallClientHello });
  }

  async #tryTarget(target: Target, places: readonly number[], tries = 1): Promise<Next> {
    if (this.#task.isSuperseded()) return this.#onSuperseded(remoteOf(target));
    const result = await this.#tools.pool.run(target, this.#jobFor(target, places));
    const remote = remoteOf(target);
    switch (result.kind) {
      case 'overloaded': {
        const trouble = { kind: 'local', code: '4.3.2', reason: result.reason } as const;
        this.#note(classifyTrouble(trouble, { remoteMta: remote, at: this.#now() }));
        this.#record(remote, null, { kind: 'not-judged', reason: result.reason });
        return 'stop';
      }
      case 'superseded':
        return this.#onSuperseded(remote);
      case 'refused':
        this.#reached++;
        this.#sawHost('unfit');
        this.#noteRefusal(remote, result.evidence, result.verdict);
        return 'next-address';
      case 'not-connected':
        return this.#onNotConnected(target, places, result.failure);
      case 'done':
        if ((isStale(result) || isWornOut(result)) && tries < staleTriesMax) {
          return this.#tryTarget(target, places, tries + 1);
        }
        if (await this.#mayNeedLess(result)) return this.#tryTarget(target, places, tries);
        return this.#onDone(target, places, result);
    }
  }

  /** The next attempt decides anew; nothing more is done under a policy that is no longer in force. */
  #onSuperseded(remote: RemoteMta): Next {
    this.#isUntried = !this.#hasBegun && this.#candidates.length === 0;
    const reason = 'the configuration changed during the attempt; the next one goes by the new one';
    const trouble = { kind: 'local', code: '4.3.2', reason } as const;
    this.#note(classifyTrouble(trouble, { remoteMta: remote, at: this.#now() }));
    this.#record(remote, null, { kind: 'not-judged', reason });
    return 'stop';
  }

  #jobFor(target: Target, places: readonly number[]): Job {
    const { delivery, requirement, body, recipients } = this.#task;
    const { services } = this.#tools;
    const allowance = target.goesClear ? this.#allowance : null;
    return {
      isSuperseded: this.#task.isSuperseded,
      judge: (evidence) => judgeTls(requirement, evidence, services.now(), allowance),
      begin: (session, permit) => {
        this.#hasBegun = true;
        const envelope = {
          reversePath: delivery.reversePath,
          recipients: places.map((place) => recipients[place]!),
          ...this.#parameters,
        };
        return this.#bounded(session, beginTransaction(session, permit, envelope, body));
      },
    };
  }

  /** The timeouts of the wire are per step: a server that trickles keeps each of them. */
  async #bounded(
    session: ClientSession,
    transaction: Promise<TransactionResult>,
  ): Promise<TransactionResult> {
    const { transactionMs } = this.#tools.services.limits;
    const detail = `the transaction took longer than ${transactionMs / 1000} s`;
    const timer = setTimeout(() => session.expire(detail), transactionMs);
    try {
      return await transaction;
    } finally {
      clearTimeout(timer);
    }
  }

  async #onNotConnected(
    target: Target,
    places: readonly number[],
    failure: (JobResult & { readonly kind: 'not-connected' })['failure'],
  ): Promise<Next> {
    const remote = remoteOf(target);
    if (failure.kind === 'failed') {
      if (failure.isReached) this.#reached++;
      this.#sawHost('failed');
      this.#noteTrouble(remote, failure.trouble);
      return 'next-address';
    }
    const { services, smallHellos } = this.#tools;
    const { requirement } = this.#task;
    const { evidence } = failure;
    const verdict = judgeTls(requirement, evidence, services.now(), null);
    // `judgeTls` refuses failed evidence whatever is required; nothing here could send anyway.
    if (verdict.kind === 'refuse') this.#noteRefusal(remote, evidence, verdict);
    const maySmall = !target.smallClientHello && target.postQuantum === 'prefer';
    if (failure.isSilent && maySmall && !target.goesClear) {
      smallHellos.add(target.address, target.port);
      return this.#tryTarget({ ...target, smallClientHello: true }, places);
    }
    this.#reached++;
    if (evidence.failure?.code !== 'own-certificate-missing') {
      this.#failedTls++;
      this.#sawHost('failed');
    }
    if (this.#allowance !== null && !target.goesClear) {
      return this.#tryTarget({ ...target, goesClear: true }, places);
    }
    return 'next-address';
  }

  /**
   * Whether a message that the server does not take for its form declares more than it needs: some
   * clients declare 8BITMIME and SMTPUTF8 always. Its content is looked at once, and only then.
   */
  async #mayNeedLess({ result }: JobResult & { readonly kind: 'done' }): Promise<boolean> {
    const first = result.recipients[0]!;
    if (first.kind !== 'unsendable' || first.problem === 'size' || this.#isExamined) return false;
    this.#isExamined = true;
    const { recipients, delivery } = this.#task;
    const needed = await findNeeded(delivery, recipients);
    const before = this.#parameters;
    this.#parameters = needed;
    const isUtf8Before = before.smtpUtf8 ?? false;
    return needed.bodyType !== before.bodyType || needed.smtpUtf8 !== isUtf8Before;
  }

  #onDone(
    target: Target,
    places: readonly number[],
    done: JobResult & { readonly kind: 'done' },
  ): Next {
    const { result, evidence, met } = done;
    const remote = remoteOf(target);
    this.#reached++;
    this.#sawHost('well');
    if (result.recipients.some(({ kind }) => kind !== 'unsendable')) {
      this.#transactionHosts.add(target.hostName);
    }
    this.#record(remote, evidence, { kind: 'proceed', met });
    const isEncrypted = evidence.encryption === 'established';
    const context = { remoteMta: remote, at: this.#now() };
    const handOver = this.#handOverOf(target, { isEncrypted, hasDsn: result.hasDsn });
    const settled = new Set<number>();
    for (const [i, place] of places.entries()) {
      const recipient = result.recipients[i]!;
      const outcome =
        recipient.kind === 'accepted'
          ? classifyAccepted(recipient.reply, context, handOver)
          : classifyTrouble(troubleOf(recipient, isEncrypted), context);
      if (isFinal(outcome, recipient, result)) {
        this.#outcomes[place] = outcome;
        settled.add(place);
      } else {
        this.#noteFor(place, outcome);
      }
    }
    this.#pending = this.#pending.filter((place) => !settled.has(place));
    if (!isEncrypted) this.#logClearText(target, evidence, result);
    return 'next-host';
  }

  /** By LMTP the server has put the message into the mailbox. @see RFC 2033 §4.2 */
  #handOverOf(
    { protocol }: Target,
    seen: { readonly isEncrypted: boolean; readonly hasDsn: boolean },
  ): HandOver {
    const { destination } = this.#task.decision;
    const isPermitted = !seen.isEncrypted && destination.kind === 'hand-over';
    const relay = seen.hasDsn ? 'relay-with-dsn' : 'relay';
    return {
      handedTo: protocol === 'lmtp' ? 'mailbox' : relay,
      clearTextReason: isPermitted ? destination.target.clearTextReason : null,
    };
  }

  #logClearText(target: Target, evidence: Evidence, result: TransactionResult): void {
    if (!result.recipients.some(({ kind }) => kind === 'accepted')) return;
    const { delivery, decision } = this.#task;
    const { destination } = decision;
    const clearTextReason =
      destination.kind === 'hand-over' ? destination.target.clearTextReason : null;
    // Without a reason that is a hop within this machine.
    if (destination.kind === 'hand-over' && clearTextReason === null) return;
    const fields = {
      queueId: delivery.id,
      domain: decision.recipientDomain,
      remote: describePlace(target),
      reason: evidence.encryption === 'not-used' ? 'clear-text-after-failed-tls' : 'not-offered',
      ...(clearTextReason === null ? {} : { clearTextReason }),
    };
    this.#tools.services.log.info(fields, 'delivered in clear text');
  }

  #noteRefusal(remote: RemoteMta, evidence: Evidence, verdict: TlsRefusal): void {
    const { status, reason } = verdict;
    this.#note(
      classifyTrouble({ ...verdict, kind: 'tls' }, { remoteMta: remote, at: this.#now() }),
    );
    this.#record(remote, evidence, { kind: 'refuse', status: textOf(status), reason });
  }

  /** For a host that was not judged. */
  #noteTrouble(remote: RemoteMta, trouble: Trouble): void {
    const said = classifyTrouble(trouble, { remoteMta: remote, at: this.#now() });
    const outcome = isForced(this.#task.requirement) ? deferUnproven(said) : said;
    this.#note(outcome);
    this.#record(remote, null, { kind: 'not-judged', reason: outcome.reason });
  }

  #record(
    { hostName, address, port }: RemoteMta,
    evidence: Evidence | null,
    verdict: CandidateRecord['verdict'],
  ): void {
    const { shadow: demands } = this.#task.decision;
    const shadow =
      evidence === null || demands.length === 0
        ? {}
        : { shadow: judgeShadow(demands, evidence, this.#tools.services.now()) };
    const candidate = { hostName, address, port, addedClauses: [], evidence, verdict, ...shadow };
    this.#candidates.push(candidate);
  }

  #note(outcome: Outcome): void {
    for (const place of this.#pending) this.#noteFor(place, outcome);
  }

  #noteFor(place: number, outcome: Outcome): void {
    const known = this.#outcomes[place]!;
    if (known === null || weightOf(outcome) >= weightOf(known)) this.#outcomes[place] = outcome;
  }

  #now(): string {
    return new Date(this.#tools.services.now()).toISOString();
  }
}

function remoteOf({ hostName, address, port }: Target): RemoteMta {
  return { hostName, address, port };
}

function textOf(status: EnhancedStatus): string {
  return formatEnhancedStatus(status);
}
