/**
 * Where a connector under validation leads: coverage of each address, then hosts and addresses as mail
 * would find them, guard included. What may not be dialled is told and never dialled.
 */
import type { Address } from '../../mail/address.ts';
import { formatAddress } from '../../mail/address.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import type { OutboundDecision } from '../../policy/decision.ts';
import { findOrganization } from '../../policy/directory.ts';
import type { OutboundConnector, Policy } from '../../policy/policy.ts';
import { asIfInForce, domainsToTest, judgeCoverage } from '../../policy/validation/cover.ts';
import { findingOf, findingOfTrouble } from '../../policy/validation/findings.ts';
import type { Finding, HostVerdict, ValidationStep } from '../../policy/validation/run.ts';
import { planRoute } from '../plan.ts';
import type { PlannedHost } from '../planned-host.ts';
import type { Place } from './examine-host.ts';
import { placesMax } from './limits.ts';
import { familyOf, roundMs } from './recorder.ts';
import type { ValidationScene } from './scene.ts';

/** `refused`: hosts that lead nowhere, with the reason; they are verdicts already. */
export interface FoundPlaces {
  readonly places: readonly Place[];
  readonly refused: readonly HostVerdict[];
  readonly findings: readonly Finding[];
  readonly steps: readonly ValidationStep[];
  /** Recipients whose mail takes the connector. */
  readonly covered: readonly Address[];
}

export interface CoverTask {
  readonly organization: string;
  readonly connector: OutboundConnector;
  readonly recipients: readonly Address[];
}

/** `policy` holds the connector as if it were in force. Never rejects. */
export async function findPlaces(
  scene: ValidationScene,
  policy: Policy,
  task: CoverTask,
): Promise<FoundPlaces> {
  const finder = new Finder(scene, policy, task);
  await finder.run();
  return finder;
}

/** Recipients whose mail goes the same way. */
interface Way {
  readonly decision: OutboundDecision;
  readonly recipients: Address[];
}

type Told = Pick<ValidationStep, 'host' | 'step' | 'state' | 'text'> & {
  readonly recipient?: string;
  readonly address?: string;
};

class Finder implements FoundPlaces {
  readonly places: Place[] = [];
  readonly refused: HostVerdict[] = [];
  readonly findings: Finding[] = [];
  readonly steps: ValidationStep[] = [];
  readonly covered: Address[] = [];
  readonly #scene: ValidationScene;
  readonly #policy: Policy;
  readonly #task: CoverTask;
  #begin = performance.now();
  #beganAt: number;

  constructor(scene: ValidationScene, policy: Policy, task: CoverTask) {
    this.#scene = scene;
    this.#policy = policy;
    this.#task = task;
    this.#beganAt = scene.now();
  }

  async run(): Promise<void> {
    const { connector, recipients } = this.#task;
    if (!connector.enabled) {
      const what = `the connector "${connector.name}" is off: mail goes as if it were not there`;
      this.#fail(findingOf('connector-off', what), { host: null, step: 'cover' });
    }
    const ways = recipients.length > 0 ? this.#waysOfRecipients() : this.#waysOfDomains();
    for (const way of ways) await this.#plan(way);
    if (this.places.length <= placesMax) return;
    const left = this.places.length - placesMax;
    this.places.length = placesMax;
    const text = `${left} more addresses are not looked at: ${placesMax} are the most in one run`;
    this.#tell({ host: null, step: 'resolve', state: 'skipped', text });
  }

  #waysOfRecipients(): readonly Way[] {
    const { organization, connector, recipients } = this.#task;
    const ways = new Map<string, Way>();
    for (const recipient of recipients) {
      const judged = judgeCoverage(this.#policy, organization, asIfInForce(connector), recipient);
      const { decision, finding } = judged;
      const text = formatAddress(recipient);
      if (finding !== null) {
        this.#fail(finding, { host: null, step: 'cover', recipient: text });
        continue;
      }
      const reason = decision.considered.find(({ result }) => result === 'chosen')?.reason ?? '';
      const said = { state: 'succeeded', text: reason, recipient: text } as const;
      this.#tell({ host: null, step: 'cover', ...said });
      this.covered.push(recipient);
      const key = wayKeyOf(decision);
      const way = ways.get(key) ?? { decision, recipients: [] };
      ways.set(key, way);
      way.recipients.push(recipient);
    }
    return [...ways.values()];
  }

  /** Without an address: the domains that the connector names, as far as their mail takes it. */
  #waysOfDomains(): readonly Way[] {
    const { organization: id, connector } = this.#task;
    const organization = findOrganization(this.#policy, id)!;
    const domains = domainsToTest(connector, organization);
    const ways = new Map<string, Way>();
    for (const domain of domains) {
      const asked = { localPart: 'postmaster', domain };
      const { decision } = judgeCoverage(this.#policy, id, asIfInForce(connector), asked);
      const { kind } = decision.destination;
      const isItsWay = decision.connector === connector.name;
      if (isItsWay && (kind === 'mx' || kind === 'smart-hosts')) {
        const key = wayKeyOf(decision);
        if (!ways.has(key)) ways.set(key, { decision, recipients: [] });
      }
    }
    if (ways.size === 0) {
      const what = 'the connector alone does not tell which hosts to ask';
      this.#fail(findingOf('no-test-domain', what), { host: null, step: 'cover' });
    }
    return [...ways.values()];
  }

  async #plan(way: Way): Promise<void> {
    this.#restart();
    if (this.#scene.isOver()) return;
    const { decision } = way;
    const domain = decision.destination.kind === 'mx' ? decision.recipientDomain : null;
    const plan = await planRoute(this.#scene.services, decision);
    if (plan.kind === 'nowhere') {
      const about = domain === null ? {} : { host: domain };
      this.#fail(findingOfTrouble(plan.trouble, null, about), { host: domain, step: 'resolve' });
      return;
    }
    if (domain !== null) {
      const text = `its mail goes to ${plan.hosts.map(({ hostName }) => hostName).join(', ')}`;
      this.#tell({ host: domain, step: 'resolve', state: 'succeeded', text });
    }
    for (const host of plan.hosts) this.#takeHost(host, way);
  }

  #takeHost(host: PlannedHost, { decision, recipients }: Way): void {
    const { hostName, addresses, refused, trouble } = host;
    for (const { address, reason } of refused) {
      const what = `address not allowed: ${reason}`;
      const finding = findingOf('address-not-allowed', what, { host: hostName, address });
      this.#fail(finding, { host: hostName, step: 'resolve', address });
      this.#refuse(host, address, what);
    }
    for (const address of addresses) this.places.push({ host, address, decision, recipients });
    if (addresses.length > 0) {
      const text = addresses.join(', ');
      this.#tell({ host: hostName, step: 'resolve', state: 'succeeded', text });
    } else if (refused.length === 0 && trouble !== null) {
      const remote = { hostName, address: null, port: host.port };
      const finding = findingOfTrouble(trouble, remote);
      this.#fail(finding, { host: hostName, step: 'resolve' });
      this.#refuse(host, null, finding.what);
    }
  }

  #refuse({ hostName, port }: PlannedHost, address: string | null, text: string): void {
    this.refused.push({
      host: hostName,
      address,
      family: address === null ? null : familyOf(address),
      port,
      state: 'failed',
      met: [],
      text: sanitizePeerText(text),
      evidence: null,
      chain: [],
    });
  }

  #fail(finding: Finding, told: Omit<Told, 'state' | 'text'>): void {
    this.findings.push(finding);
    this.#tell({ ...told, state: 'failed', text: finding.what });
  }

  #restart(): void {
    this.#begin = performance.now();
    this.#beganAt = this.#scene.now();
  }

  #tell({ recipient = null, address = null, text, ...told }: NullableTold): void {
    const now = performance.now();
    const step: ValidationStep = {
      kind: 'step',
      ...told,
      address,
      family: address === null ? null : familyOf(address),
      recipient,
      startedAt: new Date(this.#beganAt).toISOString(),
      tookMs: roundMs(now - this.#begin),
      text: sanitizePeerText(text),
    };
    this.#restart();
    this.steps.push(step);
    this.#scene.onStep(step);
  }
}

type NullableTold = Omit<Told, 'recipient' | 'address'> & {
  readonly recipient?: string | null;
  readonly address?: string | null;
};

/** Equal for equal hosts and equal demands. */
function wayKeyOf({ destination, recipientDomain, requirement }: OutboundDecision): string {
  const to = destination.kind === 'mx' ? recipientDomain : JSON.stringify(destination);
  return `${to}\n${JSON.stringify(requirement)}`;
}
