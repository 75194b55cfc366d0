/**
 * Sessions of own servers that an OnPremises connector restricted and none restricts as much now.
 *
 * A session is judged by the connector that knows it: by certificate, else by address. One that is no
 * longer known is anybody's, and so is let in under less.
 */
import { formatDomainPattern } from '../../mail/domain-pattern.ts';
import { AddressParts } from '../address-cover.ts';
import { isKnownByCertificate, knowsAllOf } from './certificate-identity.ts';
import type { Compared } from './compared-organizations.ts';
import type { ComparisonBudget } from './comparison-budget.ts';
import { ownServerIndexOf } from '../connector-index.ts';
import type { InboundConnector, Organization, Policy } from '../policy.ts';
import { pushTo } from './sampled-domains.ts';
import { someOf } from '../some-of.ts';
import type { ConnectorLoss } from './weakened-inbound.ts';
import { inboundLosses } from './weakened-inbound.ts';

/** Of organizations that take mail for a domain both before and today. */
export function weakenedServers(
  compared: Compared,
  budget: ComparisonBudget,
): readonly ConnectorLoss[] {
  const { was, is, domains } = compared;
  const demanding = was.inboundConnectors.filter((each) => isGuard(each) && !asksNothing(each));
  if (demanding.length === 0 || domains.length === 0) return [];
  if (was.id === is.id && textOfOwn(was) === textOfOwn(is)) return [];
  const comparison = new Comparison(compared, budget);
  return [
    ...comparison.byAddress(demanding),
    ...comparison.byCertificate(demanding),
    ...comparison.closer(demanding),
  ];
}

class Comparison {
  readonly #compared: Compared;
  readonly #budget: ComparisonBudget;
  /** Today's connectors of the same organization. */
  readonly #today: ReadonlyMap<string, InboundConnector>;

  constructor(compared: Compared, budget: ComparisonBudget) {
    this.#compared = compared;
    this.#budget = budget;
    const { was, is } = compared;
    const same = was.id === is.id ? is.inboundConnectors : [];
    this.#today = new Map(same.map((each) => [each.name, each]));
  }

  /** Of servers that no certificate says to be anybody's. */
  byAddress(demanding: readonly InboundConnector[]): readonly ConnectorLoss[] {
    const found = new Map<string, string[]>();
    const losses = new Map<string, ConnectorLoss>();
    const parts = new AddressParts([this.#compared.was, this.#compared.is].flatMap(rangesOf));
    const ranges = demanding.flatMap(({ senderIPAddresses }) => senderIPAddresses);
    for (const address of parts.within(ranges)) {
      if (!this.#budget.take()) break;
      const loss = this.#lossAt(address);
      // What was not compared for want of steps is no loss.
      if (loss === null || this.#budget.isSpent) continue;
      const key = `${loss.connector} ${loss.what}`;
      losses.set(key, loss);
      pushTo(found, key, address);
    }
    return [...losses].map(([key, { connector, what }]) => ({
      connector,
      what: `no longer restricts servers at ${someOf(found.get(key)!)}${what}`,
    }));
  }

  #lossAt(address: string): ConnectorLoss | null {
    const { before, after, was, is } = this.#compared;
    const guard = ofAddress(before, was, address);
    if (guard === null || !isGuard(guard) || asksNothing(guard)) return null;
    const owed = this.#owedOf(guard);
    const today = ofAddress(after, is, address);
    if (owed === null) return null;
    if (today !== null && isGuard(today) && this.#asksAsMuch(today, owed)) return null;
    return this.#describe(owed, today);
  }

  /** Whatever the certificate that says so. */
  byCertificate(demanding: readonly InboundConnector[]): readonly ConnectorLoss[] {
    const { inboundConnectors } = this.#compared.is;
    const own = inboundConnectors.filter((each) => isOwn(each) && isKnownByCertificate(each));
    return demanding.filter(isKnownByCertificate).flatMap((guard) => {
      if (!this.#budget.take()) return [];
      const owed = this.#owedOf(guard);
      if (owed === null || this.#isKept(guard, owed, own) || this.#budget.isSpent) return [];
      const { connector, what } = this.#describe(owed, null);
      return [
        { connector, what: `no longer restricts servers by certificates that it knew${what}` },
      ];
    });
  }

  /**
   * Keys come before names, and closer names before others: a weaker connector may newly be the first
   * that knows a server, though it knows no more than before.
   */
  closer(demanding: readonly InboundConnector[]): readonly ConnectorLoss[] {
    const { was, is } = this.#compared;
    if (was.id !== is.id) return [];
    const earlier = new Map(was.inboundConnectors.map((each) => [each.name, each]));
    return is.inboundConnectors.flatMap((today) => {
      const before = earlier.get(today.name);
      if (before === undefined || !isOwn(before) || !isOwn(today)) return [];
      if (!namesMore(before, today)) return [];
      const passed = demanding.find((guard) => this.#isPassed(guard, today));
      if (passed === undefined || this.#budget.isSpent) return [];
      const less = lessOf(today, this.#owedOf(passed) ?? passed);
      return [
        { connector: today.name, what: `knows servers closer than "${passed.name}" and ${less}` },
      ];
    });
  }

  /** Whether `today`, which is another one, may come before the guard and asks for less. */
  #isPassed(guard: InboundConnector, today: InboundConnector): boolean {
    if (guard.name === today.name || !isKnownByCertificate(guard)) return false;
    if (!this.#budget.take()) return false;
    const owed = this.#owedOf(guard);
    return owed !== null && !(isGuard(today) && this.#asksAsMuch(today, owed));
  }

  /** `own`: those that know servers by certificate today. */
  #isKept(
    guard: InboundConnector,
    owed: InboundConnector,
    own: readonly InboundConnector[],
  ): boolean {
    const today = this.#today.get(guard.name);
    if (today !== undefined && isOwn(today) && knowsAllOf(today, guard)) return true;
    // Which of several knows a certificate first is not looked at: all must ask as much.
    return (
      own.every((each) => isGuard(each) && this.#asksAsMuch(each, owed)) &&
      own.some((each) => knowsAllOf(each, guard))
    );
  }

  /** Without what is said of the connector itself already: that it is off, or asks for less. */
  #owedOf(guard: InboundConnector): InboundConnector | null {
    if (this.#compared.was.id !== this.#compared.is.id) return guard;
    const today = this.#today.get(guard.name);
    if (today === undefined || !today.enabled || today.mode !== 'enforce') return null;
    if (this.#asksAsMuch(today, guard)) return guard;
    return asksNothing(today) ? null : today;
  }

  #asksAsMuch(today: InboundConnector, earlier: InboundConnector): boolean {
    if (today === earlier) return true;
    return this.#budget.take() && inboundLosses(earlier, today).length === 0;
  }

  /** `what` follows the servers; `today` knows them now. */
  #describe(owed: InboundConnector, today: InboundConnector | null): ConnectorLoss {
    const { was, is } = this.#compared;
    if (was.id !== is.id) return { connector: null, what: ` as "${owed.name}" of ${was.id} did` };
    return { connector: owed.name, what: `, since ${this.#reasonOf(owed, today)}` };
  }

  #reasonOf(owed: InboundConnector, today: InboundConnector | null): string {
    if (today !== null) {
      return `"${today.name}" knows them first and ${lessOf(today, owed)}`;
    }
    const same = this.#today.get(owed.name);
    const isPartner = same !== undefined && !isOwn(same);
    return isPartner ? 'it is for partners now' : 'it no longer knows them';
  }
}

function lessOf(today: InboundConnector, owed: InboundConnector): string {
  if (!isGuard(today)) return 'does not enforce anything';
  return inboundLosses(owed, today).join(' and ');
}

/** A key or a name that it did not have, though it may stand for fewer servers. */
function namesMore(before: InboundConnector, today: InboundConnector): boolean {
  const textsOf = ({ pins, tlsSenderCertificateNames }: InboundConnector): readonly string[] => [
    ...pins,
    ...tlsSenderCertificateNames.map(formatDomainPattern),
  ];
  const known = new Set(textsOf(before));
  return textsOf(today).some((each) => !known.has(each));
}

function rangesOf({ inboundConnectors }: Organization): readonly string[] {
  return inboundConnectors.filter(isOwn).flatMap(({ senderIPAddresses }) => senderIPAddresses);
}

function ofAddress(
  policy: Policy,
  organization: Organization,
  address: string,
): InboundConnector | null {
  const servers = ownServerIndexOf(policy).byAddress(address);
  return servers.find((each) => each.organization === organization)?.connector ?? null;
}

/** It knows its servers in every mode. */
function isOwn({ enabled, connectorType }: InboundConnector): boolean {
  return enabled && connectorType === 'OnPremises';
}

function isGuard(connector: InboundConnector): boolean {
  return isOwn(connector) && connector.mode === 'enforce';
}

function asksNothing(connector: InboundConnector): boolean {
  return inboundLosses(connector, null).length === 0;
}

function textOfOwn({ inboundConnectors }: Organization): string {
  return JSON.stringify(inboundConnectors.filter(isOwn));
}
