/**
 * Asks the server that keeps a recipient's mailbox, by MAIL and RCPT without content.
 *
 * The way there is the way of the mail itself: the same decision, addresses, TLS requirement and
 * verdict, so that not even the question goes where mail would not. Connections are apart from those of
 * mail, with shorter waits, since a client waits for the answer.
 * @see RFC 5321 §3.3, §4.2.3
 */
import type { Socket } from 'node:net';
import type { Address } from '../mail/address.ts';
import { reply } from '../mail/reply.ts';
import { chooseOutbound } from '../policy/choose-outbound.ts';
import { classifyTrouble } from '../policy/classify.ts';
import type { Trouble } from '../policy/classify.ts';
import type { OutboundDecision } from '../policy/decision.ts';
import type { RemoteMta } from '../policy/outcome.ts';
import { isAboutRecipient } from '../policy/recipient-verification.ts';
import type { RecipientVerification } from '../policy/recipient-verification.ts';
import { describeDemand } from '../policy/tls-requirement.ts';
import { judgeTls } from '../policy/tls-verdict.ts';
import { askAboutRecipient } from '../smtp/client-transaction.ts';
import type { RecipientResult } from '../smtp/client-transaction.ts';
import { connect } from './connect.ts';
import type { ConnectFailure, Target } from './connect.ts';
import type { Job, JobResult } from './destination.ts';
import { planRoute } from './plan.ts';
import { Pool } from './pool.ts';
import type { RecipientQuestion } from './recipient-verifier.ts';
import { isStale, isWornOut, troubleOf } from './recipient-result.ts';
import type { DeliveryLimits, DeliveryServices } from './services.ts';
import { SmallHelloMemory } from './small-hello.ts';
import { targetOf } from './target.ts';

interface Question {
  readonly decision: OutboundDecision;
  readonly recipient: Address;
  readonly untilMs: number;
}

const stepMs = 10_000;
const staleTriesMax = 3;

/** The bounds of mail, with waits of seconds. */
function quickLimits(limits: DeliveryLimits): DeliveryLimits {
  const atMost = (ms: number): number => Math.min(ms, stepMs);
  const { client } = limits;
  return {
    ...limits,
    connectTimeoutMs: atMost(limits.connectTimeoutMs),
    handshakeTimeoutMs: atMost(limits.handshakeTimeoutMs),
    client: {
      ...client,
      greetingMs: atMost(client.greetingMs),
      helloMs: atMost(client.helloMs),
      mailMs: atMost(client.mailMs),
      rcptMs: atMost(client.rcptMs),
    },
    waitMs: atMost(limits.waitMs),
  };
}

export class RecipientAsker {
  readonly #services: DeliveryServices;
  readonly #pool: Pool;
  readonly #smallHellos: SmallHelloMemory;
  readonly #underWay = new Set<Socket>();

  constructor(services: DeliveryServices) {
    this.#services = { ...services, limits: quickLimits(services.limits) };
    this.#pool = new Pool(this.#services.limits, (target) =>
      connect(this.#services, target, this.#underWay),
    );
    this.#smallHellos = new SmallHelloMemory(() => services.steadyNow());
  }

  /** Never rejects. */
  async ask({
    policy,
    organization,
    recipient,
    untilMs,
  }: RecipientQuestion): Promise<RecipientVerification> {
    const decision = chooseOutbound(policy, organization, recipient);
    const { destination, requirement } = decision;
    if (destination.kind === 'mailbox') return { kind: 'exists' };
    if (destination.kind === 'none') return silent(destination.reason);
    const broken = requirement.clauses.find(({ kind }) => kind === 'unsatisfiable');
    if (broken !== undefined) return silent(describeDemand(broken));
    return this.#askHosts({ decision, recipient, untilMs });
  }

  /** Ends idle connections. */
  closeIdle(): void {
    this.#pool.closeIdle();
  }

  /** Cuts everything; questions under way end as silent. */
  destroy(): void {
    this.#pool.destroy();
    for (const socket of this.#underWay) socket.destroy();
  }

  async #askHosts(question: Question): Promise<RecipientVerification> {
    const plan = await planRoute(this.#services, question.decision);
    if (plan.kind === 'nowhere') return this.#silence(plan.trouble, null);
    let last = silent('no host could be asked');
    for (const host of plan.hosts) {
      const { hostName, port } = host;
      if (host.trouble !== null) {
        last = this.#silence(host.trouble, { hostName, address: null, port });
      }
      for (const address of host.addresses) {
        if (this.#services.steadyNow() >= question.untilMs) return last;
        const { decision } = question;
        const { requirement } = decision;
        const smallClientHello = this.#smallHellos.has(address, port, requirement);
        const target = targetOf({ decision, requirement, host, address, smallClientHello });
        const answer = await this.#askAt(target, question);
        if (answer.kind !== 'silent') return answer;
        last = answer;
      }
    }
    return last;
  }

  async #askAt(target: Target, question: Question, tries = 1): Promise<RecipientVerification> {
    const result = await this.#pool.run(target, this.#jobFor(question));
    switch (result.kind) {
      case 'overloaded':
        return silent(result.reason);
      case 'superseded':
        return silent('the configuration changed meanwhile');
      case 'refused':
        return silent(result.verdict.reason);
      case 'not-connected':
        return this.#onNotConnected(target, question, result.failure);
      case 'done':
        if ((isStale(result) || isWornOut(result)) && tries < staleTriesMax) {
          return this.#askAt(target, question, tries + 1);
        }
        return this.#answerOf(target, result);
    }
  }

  #jobFor({ decision, recipient }: Question): Job {
    const { requirement } = decision;
    return {
      // An answer about a mailbox sends nothing, and is due within seconds.
      isSuperseded: () => false,
      judge: (evidence) => judgeTls(requirement, evidence, this.#services.now(), null),
      begin: (session, permit) => askAboutRecipient(session, permit, recipient),
    };
  }

  async #onNotConnected(
    target: Target,
    question: Question,
    failure: ConnectFailure,
  ): Promise<RecipientVerification> {
    if (failure.kind === 'failed') return this.#silence(failure.trouble, target);
    if (failure.isSilent && !target.smallClientHello && target.postQuantum === 'prefer') {
      this.#smallHellos.add(target.address, target.port);
      return this.#askAt({ ...target, smallClientHello: true }, question);
    }
    const seen = failure.evidence.failure?.text ?? 'the handshake failed';
    return silent(`${target.hostName} [${target.address}]: ${seen}`);
  }

  #answerOf(target: Target, done: JobResult & { readonly kind: 'done' }): RecipientVerification {
    const recipient: RecipientResult = done.result.recipients[0]!;
    if (recipient.kind === 'accepted') return { kind: 'exists' };
    const isEncrypted = done.evidence.encryption === 'established';
    const { reason } = this.#silence(troubleOf(recipient, isEncrypted), target);
    if (recipient.kind === 'unsendable') {
      // Only an address can be in the way here, and tomorrow it will be as well.
      return { kind: 'unknown', reply: reply(553, '5.6.7', 'SMTPUTF8 is not offered'), reason };
    }
    if (
      recipient.kind === 'refused' &&
      recipient.stage === 'rcpt' &&
      isAboutRecipient(recipient.reply)
    ) {
      return { kind: 'unknown', reply: recipient.reply, reason };
    }
    return silent(reason);
  }

  #silence(
    trouble: Trouble,
    remoteMta: RemoteMta | null,
  ): RecipientVerification & { kind: 'silent' } {
    const at = new Date(this.#services.now()).toISOString();
    const { reason } = classifyTrouble(trouble, { remoteMta, at });
    const isNamed = remoteMta === null || reason.includes(remoteMta.hostName);
    return silent(isNamed ? reason : `${remoteMta.hostName}: ${reason}`);
  }
}

function silent(reason: string): RecipientVerification & { kind: 'silent' } {
  return { kind: 'silent', reason };
}
