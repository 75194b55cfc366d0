/** Plans kept for as long as they hold: many messages to one destination share one. */
import type { OutboundDecision } from '../policy/decision.ts';
import { planRoute } from './plan.ts';
import type { Plan } from './plan.ts';
import type { DeliveryServices } from './services.ts';

/** Plans that are still good, by decision. */
export class PlanCache {
  readonly #services: DeliveryServices;
  readonly #plans = new Map<string, { readonly untilMs: number; readonly plan: Promise<Plan> }>();
  readonly #known = new WeakMap<OutboundDecision, string>();

  constructor(services: DeliveryServices) {
    this.#services = services;
  }

  planFor(decision: OutboundDecision): Promise<Plan> {
    const key = this.#keyOf(decision);
    const kept = this.#plans.get(key);
    if (kept !== undefined && performance.now() < kept.untilMs) return kept.plan;
    const plan = planRoute(this.#services, decision);
    this.#keep(key, { untilMs: Infinity, plan });
    void plan.then((result) => {
      const ttlMs = result.kind === 'hosts' && isWhole(result) ? result.ttlMs : 0;
      const untilMs = performance.now() + Math.min(ttlMs, this.#services.limits.planMs);
      if (this.#plans.get(key)?.plan === plan) this.#plans.set(key, { untilMs, plan });
    });
    return plan;
  }

  #keep(key: string, entry: { readonly untilMs: number; readonly plan: Promise<Plan> }): void {
    if (this.#plans.size >= plansMax && !this.#plans.has(key)) {
      this.#plans.delete(this.#plans.keys().next().value!);
    }
    this.#plans.set(key, entry);
  }

  #keyOf(decision: OutboundDecision): string {
    const known = this.#known.get(decision);
    if (known !== undefined) return known;
    const { policyRevision, organization, destination, recipientDomain } = decision;
    const to = destination.kind === 'mx' ? recipientDomain : JSON.stringify(destination);
    const key = `${policyRevision}\n${organization}\n${destination.kind}\n${to}`;
    this.#known.set(decision, key);
    return key;
  }
}

const plansMax = 10_000;

function isWhole(plan: Plan & { readonly kind: 'hosts' }): boolean {
  return plan.hosts.every((host) => host.trouble === null);
}
