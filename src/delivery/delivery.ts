/**
 * One attempt at a queued delivery, start to end: decision, floor, route, candidates, outcomes.
 *
 * For `app`, which hands `attempt` to the queue.
 */
import type { Socket } from 'node:net';
import { Failure } from '../mail/failure.ts';
import { status } from '../mail/enhanced-status.ts';
import type { Recipient } from '../mail/recipient.ts';
import { classifyTrouble } from '../policy/classify.ts';
import type { Trouble } from '../policy/classify.ts';
import { isSameWay } from '../policy/decision.ts';
import type { OutboundDecision } from '../policy/decision.ts';
import type { AttemptDelivery, AttemptReport, Delivery, RouteAttempt } from '../policy/delivery.ts';
import { findMailbox } from '../policy/directory.ts';
import { findWeakened, floorFor, requirementOf } from '../policy/floor.ts';
import type { Outcome } from '../policy/outcome.ts';
import type { Policy } from '../policy/policy.ts';
import type { VerifyRecipient } from '../policy/recipient-verification.ts';
import type { Clause, Requirement } from '../policy/tls-requirement.ts';
import { describeDemand, isForced } from '../policy/tls-requirement.ts';
import { RecipientAsker } from './ask-recipient.ts';
import { connect } from './connect.ts';
import { DecisionCache } from './decision-cache.ts';
import { handInside } from './hand-inside.ts';
import { HostHealth } from './host-health.ts';
import { writeToMaildir } from './maildir.ts';
import { outgoingBody } from './outgoing-body.ts';
import { PlanCache } from './plan-cache.ts';
import { Pool } from './pool.ts';
import type { PoolCounts } from './pool.ts';
import { createRecipientVerifier } from './recipient-verifier.ts';
import { attemptRoute } from './route.ts';
import type { RouteResult } from './route.ts';
import type { DeliveryServices } from './services.ts';
import { SmallHelloMemory } from './small-hello.ts';

/** Numbers for metrics. */
export interface DeliveryCounts extends PoolCounts {
  readonly attempts: number;
}

export interface DeliveryRoom {
  /** Never rejects for what happens to mail; every recipient gets an outcome. */
  readonly attempt: AttemptDelivery;
  /** Asks the server that keeps a mailbox whether it exists, or remembers what it said. */
  readonly verifyRecipient: VerifyRecipient;
  /**
   * Another room has taken over, as after a change of configuration or certificates: idle connections
   * end at once; attempts under way end by themselves, but begin no further transaction where TLS is
   * forced or the policy now decides otherwise. Those that had tried no host yet are made by `takeOver`,
   * the others are deferred. Resolves with the last one.
   */
  retire(takeOver: AttemptDelivery): Promise<void>;
  /** Begins nothing new, waits for what runs, then cuts it. */
  stop(graceMs: number): Promise<void>;
  counts(): DeliveryCounts;
}

export function createDelivery(services: DeliveryServices): DeliveryRoom {
  const room = new Room(services);
  return {
    attempt: (delivery) => room.attempt(delivery),
    verifyRecipient: room.verifyRecipient,
    retire: (takeOver) => room.retire(takeOver),
    stop: (graceMs) => room.stop(graceMs),
    counts: () => room.counts(),
  };
}

/** Recipients that one route serves, by the decision that each domain got. */
interface Group {
  readonly decisions: Map<OutboundDecision, Recipient[]>;
}

class Room {
  readonly verifyRecipient: VerifyRecipient;
  readonly #asker: RecipientAsker;
  readonly #services: DeliveryServices;
  readonly #pool: Pool;
  readonly #plans: PlanCache;
  readonly #smallHellos: SmallHelloMemory;
  readonly #health: HostHealth;
  readonly #startedAtMs: number;
  readonly #decisions = new DecisionCache();
  readonly #running = new Set<Promise<AttemptReport>>();
  /** Sockets on which a session is not ready yet. */
  readonly #underWay = new Set<Socket>();
  /** Not null once another room has taken over. */
  #takeOver: AttemptDelivery | null = null;
  #isStopped = false;

  constructor(services: DeliveryServices) {
    this.#services = services;
    this.#pool = new Pool(services.limits, (target) => connect(services, target, this.#underWay));
    this.#plans = new PlanCache(services);
    this.#smallHellos = new SmallHelloMemory(() => services.steadyNow());
    this.#health = new HostHealth(() => services.steadyNow());
    this.#startedAtMs = services.now();
    this.#asker = new RecipientAsker(services);
    this.verifyRecipient = createRecipientVerifier({
      policy: () => services.policy(),
      now: () => services.steadyNow(),
      ask: (question) => this.#asker.ask(question),
    });
  }

  attempt(delivery: Delivery): Promise<AttemptReport> {
    const running = this.#attempt(delivery);
    this.#running.add(running);
    const forget = (): void => void this.#running.delete(running);
    running.then(forget, forget);
    return running;
  }

  async retire(takeOver: AttemptDelivery): Promise<void> {
    this.#takeOver = takeOver;
    this.#pool.retire();
    this.#asker.closeIdle();
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    this.#pool.stop();
  }

  async stop(graceMs: number): Promise<void> {
    this.#isStopped = true;
    this.#asker.destroy();
    this.#pool.stop();
    let timer: NodeJS.Timeout | null = null;
    const grace = new Promise((resolve) => (timer = setTimeout(resolve, graceMs)));
    await Promise.race([Promise.allSettled(this.#running), grace]);
    clearTimeout(timer!);
    this.#pool.destroy();
    for (const socket of this.#underWay) socket.destroy();
    await Promise.allSettled(this.#running);
  }

  counts(): DeliveryCounts {
    return { ...this.#pool.counts(), attempts: this.#running.size };
  }

  async #attempt(delivery: Delivery): Promise<AttemptReport> {
    const startedAtMs = this.#services.now();
    const policy = this.#services.policy();
    const groups = this.#group(policy, delivery);
    const routes =
      groups.length === 1
        ? await this.#attemptGroup(delivery, policy, groups[0]!)
        : (
            await Promise.all(groups.map((group) => this.#attemptGroup(delivery, policy, group)))
          ).flat();
    return { startedAtMs, endedAtMs: this.#services.now(), routes };
  }

  #group(policy: Policy, delivery: Delivery): readonly Group[] {
    const groups = new Map<string, Group>();
    for (const recipient of delivery.recipients) {
      const decision = this.#decisions.decide(policy, delivery, recipient);
      const key = this.#decisions.routeKeyOf(decision);
      const group = groups.get(key) ?? { decisions: new Map<OutboundDecision, Recipient[]>() };
      groups.set(key, group);
      const recipients = group.decisions.get(decision);
      if (recipients === undefined) group.decisions.set(decision, [recipient]);
      else recipients.push(recipient);
    }
    return [...groups.values()];
  }

  /** One route attempt per decision; all decisions of a group lead to one next hop. */
  async #attemptGroup(
    delivery: Delivery,
    policy: Policy,
    group: Group,
  ): Promise<readonly RouteAttempt[]> {
    const decision: OutboundDecision = group.decisions.keys().next().value!;
    const recipients = [...group.decisions.values()].flat();
    const requirement = requirementOf(decision, delivery.floor);
    const result = await this.#deliver({ delivery, policy, decision, requirement, recipients });
    if (result.isUntried) return (await this.#takeOver!({ ...delivery, recipients })).routes;
    const outcomes = new Map(recipients.map((recipient, i) => [recipient, result.outcomes[i]!]));
    return Array.from(group.decisions, ([each, ofDecision]) => ({
      decision: each,
      candidates: result.candidates,
      clauses: requirement.clauses,
      hasFailedTlsOnly: result.hasFailedTlsOnly,
      outcomes: ofDecision.map((recipient) => ({
        recipient,
        outcome: outcomes.get(recipient)!,
      })),
    }));
  }

  async #deliver(task: Task): Promise<GroupResult> {
    const { delivery, decision, requirement } = task;
    const { destination } = decision;
    const weakened = findWeakened(floorFor(decision, delivery.floor), requirement);
    if (weakened.length > 0) return this.#forAll(task, this.#held(weakened));
    if (this.#isStopped) {
      const reason = 'the gateway is stopping';
      return this.#forAll(task, this.#trouble({ kind: 'local', code: '4.3.2', reason }));
    }
    switch (destination.kind) {
      case 'mailbox':
        return this.#deliverToMailboxes(task);
      case 'none': {
        const { reason, isPermanent } = destination;
        return this.#forAll(task, this.#trouble({ kind: 'policy', reason, isPermanent }));
      }
      case 'organization':
        return this.#handInside(task, destination.organization);
      case 'mx':
      case 'smart-hosts':
      case 'hand-over':
        return this.#deliverByRoute(task);
    }
  }

  async #deliverByRoute(task: Task): Promise<GroupResult> {
    const { delivery, decision, requirement, recipients } = task;
    const broken = this.#findBroken(requirement);
    if (broken !== null) return this.#forAll(task, broken);
    const plan = await this.#plans.planFor(decision);
    if (this.#isSuperseded(task)) return { ...untroubled, outcomes: [], isUntried: true };
    if (plan.kind === 'nowhere') return this.#forAll(task, this.#trouble(plan.trouble));
    const body = await outgoingBody(delivery.content, decision, task.policy.hostName);
    if (body.kind === 'unreadable') return this.#forAll(task, this.#trouble(body.trouble));
    const tools = {
      services: this.#services,
      pool: this.#pool,
      smallHellos: this.#smallHellos,
      health: this.#health,
    };
    const scope = { organization: delivery.organization, requirement };
    const hosts = this.#health.order(scope, plan.hosts).slice(0, this.#services.limits.hostsMax);
    const isSuperseded = (): boolean => this.#isSuperseded(task);
    const route = { delivery, body, decision, requirement, recipients, hosts, isSuperseded };
    return attemptRoute(tools, route);
  }

  #findBroken({ clauses }: Requirement): Outcome | null {
    const broken = clauses.find(({ kind }) => kind === 'unsatisfiable');
    if (broken === undefined) return null;
    const reason = `${broken.origin.kind} "${broken.origin.name}": ${describeDemand(broken)}`;
    return this.#trouble({ kind: 'policy', reason, isPermanent: false });
  }

  async #handInside(task: Task, toOrganization: string): Promise<GroupResult> {
    const broken = this.#findBroken(task.requirement);
    if (broken !== null) return this.#forAll(task, broken);
    if (this.#isSuperseded(task)) return { ...untroubled, outcomes: [], isUntried: true };
    const services = {
      hostName: task.policy.hostName,
      nowMs: this.#services.now(),
      newConnectionId: () => this.#services.newConnectionId(),
      takeInside: this.#services.takeInside,
    };
    return { ...untroubled, ...(await handInside(services, task, toOrganization)) };
  }

  /** After a reload forced mail begins nothing more here: trust anchors may be others by now. */
  #isSuperseded({ delivery, decision, requirement, recipients }: Task): boolean {
    if (this.#takeOver === null) return false;
    if (isForced(requirement)) return true;
    const today = this.#services.policy();
    return recipients.some((recipient) => {
      const anew = this.#decisions.decide(today, delivery, recipient);
      return !isSameWay({ ...anew, recipientDomain: decision.recipientDomain }, decision);
    });
  }

  async #deliverToMailboxes(task: Task): Promise<GroupResult> {
    const { policy, recipients } = task;
    const byMailbox = new Map<string, Promise<Outcome>>();
    const outcomes = recipients.map((recipient) => {
      const found = findMailbox(policy, recipient)!;
      const { organization, mailbox } = found;
      const path = this.#services.mailboxPath(organization.id, mailbox.account);
      const known = byMailbox.get(path);
      if (known !== undefined) return known;
      const outcome = this.#deliverToMailbox(task, path);
      byMailbox.set(path, outcome);
      return outcome;
    });
    return { ...untroubled, outcomes: await Promise.all(outcomes) };
  }

  async #deliverToMailbox({ delivery, policy }: Task, path: string): Promise<Outcome> {
    const { id, attempts, receivedAtMs, reversePath, content } = delivery;
    try {
      await writeToMaildir({
        path,
        key: id,
        receivedAtMs,
        hostName: policy.hostName,
        reversePath,
        content,
        mayBeThere: attempts > 0 || receivedAtMs <= this.#startedAtMs,
      });
    } catch (error) {
      return this.#mailboxOutcome(delivery, path, error);
    }
    return {
      kind: 'delivered',
      handedTo: 'mailbox',
      status: status('2.0.0'),
      reason: 'written to the mailbox',
      reply: null,
      remoteMta: null,
      at: this.#at(),
    };
  }

  #mailboxOutcome(delivery: Delivery, path: string, cause: unknown): Outcome {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    const failure = new Failure('mailbox-write', `cannot write to the mailbox ${path}: ${code}`, {
      cause,
    });
    const fields = { queueId: delivery.id, code: failure.code, path, err: cause };
    this.#services.log.error(fields, failure.message);
    const isFull = code === 'ENOSPC' || code === 'EDQUOT';
    const reason = `the mailbox cannot be written to (${code})`;
    return this.#trouble({ kind: 'local', code: isFull ? '4.3.1' : '4.3.0', reason });
  }

  #held(weakened: readonly Clause[]): Outcome {
    const demands = weakened.map(describeDemand).join(', ');
    return {
      kind: 'held',
      cause: 'policy-weakened',
      status: status('4.7.5'),
      reason: `today's policy no longer requires ${demands}, under which the message was accepted`,
      reply: null,
      remoteMta: null,
      at: this.#at(),
    };
  }

  #trouble(trouble: Trouble): Outcome {
    return classifyTrouble(trouble, { remoteMta: null, at: this.#at() });
  }

  #forAll(task: Task, outcome: Outcome): GroupResult {
    return { ...untroubled, outcomes: task.recipients.map(() => outcome) };
  }

  #at(): string {
    return new Date(this.#services.now()).toISOString();
  }
}

interface Task {
  readonly delivery: Delivery;
  readonly policy: Policy;
  readonly decision: OutboundDecision;
  readonly requirement: Requirement;
  readonly recipients: readonly Recipient[];
}

type GroupResult = RouteResult;

/** Of what asks no host. */
const untroubled = { candidates: [], hasFailedTlsOnly: false, isUntried: false } as const;
