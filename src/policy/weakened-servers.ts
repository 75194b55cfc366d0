/**
 * Sessions of own servers that an OnPremises connector restricted and none restricts as much now.
 *
 * A session is judged by the connector that knows it: by certificate, else by address. One that is no
 * longer known is anybody's, and so is let in under less.
 */
import { AddressParts } from './address-cover.ts';
import { isKnownByCertificate, knowsAllOf } from './certificate-identity.ts';
import type { Compared } from './compared-organizations.ts';
import { ownServerIndexOf } from './connector-index.ts';
import type { InboundConnector, Organization, Policy } from './policy.ts';
import { pushTo, someOf } from './sampled-domains.ts';
import type { ConnectorLoss } from './weakened-inbound.ts';
import { inboundLosses } from './weakened-inbound.ts';

/** Of organizations that take mail for a domain both before and today. */
export function weakenedServers(compared: Compared): readonly ConnectorLoss[] {
  const { was, is, domains } = compared;
  const demanding = was.inboundConnectors.filter((each) => isGuard(each) && !asksNothing(each));
  if (demanding.length === 0 || domains.length === 0) return [];
  if (was.id === is.id && textOfOwn(was) === textOfOwn(is)) return [];
  const byName = new Map(is.inboundConnectors.map((each) => [each.name, each]));
  const owedOf = (guard: InboundConnector): InboundConnector | null => {
    if (was.id !== is.id) return guard;
    const today = byName.get(guard.name);
    return today === undefined ? null : owedBy(guard, today);
  };
  return [...lostAddresses(compared, demanding, owedOf), ...lostKnown(compared, demanding, owedOf)];
}

type OwedOf = (guard: InboundConnector) => InboundConnector | null;

/** Without what is said of the connector itself already: that it is off, or asks for less. */
function owedBy(guard: InboundConnector, today: InboundConnector): InboundConnector | null {
  if (!today.enabled || today.mode !== 'enforce') return null;
  if (asksAsMuch(today, guard)) return guard;
  return asksNothing(today) ? null : today;
}

function lostAddresses(
  { before, after, was, is }: Compared,
  demanding: readonly InboundConnector[],
  owedOf: OwedOf,
): readonly ConnectorLoss[] {
  const ranges = [was, is].flatMap((each) =>
    each.inboundConnectors.filter(isOwn).flatMap(({ senderIPAddresses }) => senderIPAddresses),
  );
  const found = new Map<string, string[]>();
  const known = new Map<string, ConnectorLoss>();
  const parts = new AddressParts(ranges);
  for (const address of parts.within(
    demanding.flatMap(({ senderIPAddresses }) => senderIPAddresses),
  )) {
    const guard = guardAt(before, was, address);
    if (guard === null || !isGuard(guard) || asksNothing(guard)) continue;
    const owed = owedOf(guard);
    const today = guardAt(after, is, address);
    if (owed === null || (today !== null && isGuard(today) && asksAsMuch(today, owed))) continue;
    const loss = lossOf({ was, is }, owed, today);
    const key = `${loss.connector} ${loss.what}`;
    known.set(key, loss);
    pushTo(found, key, address);
  }
  return [...known].map(([key, { connector, what }]) => ({
    connector,
    what: `no longer restricts servers at ${someOf(found.get(key)!)}${what}`,
  }));
}

/** The connector that knows an address of which no certificate says whose it is. */
function guardAt(
  policy: Policy,
  organization: Organization,
  address: string,
): InboundConnector | null {
  const servers = ownServerIndexOf(policy).byAddress(address);
  return servers.find((each) => each.organization === organization)?.connector ?? null;
}

type Both = Pick<Compared, 'was' | 'is'>;

/** `what` follows the servers. */
function lossOf(
  { was, is }: Both,
  owed: InboundConnector,
  today: InboundConnector | null,
): ConnectorLoss {
  if (was.id !== is.id) return { connector: null, what: ` as "${owed.name}" of ${was.id} did` };
  const reason =
    today === null
      ? reasonOf(is, owed.name)
      : isGuard(today)
        ? `"${today.name}" knows them first and ${inboundLosses(owed, today).join(' and ')}`
        : `"${today.name}" knows them first and does not enforce`;
  return { connector: owed.name, what: `, since ${reason}` };
}

function reasonOf({ inboundConnectors }: Organization, name: string): string {
  const today = inboundConnectors.find((each) => each.name === name);
  return today !== undefined && !isOwn(today)
    ? 'it is for partners now'
    : 'it no longer knows them';
}

/** Whatever certificate said that a session is of the connector's server. */
function lostKnown(
  { was, is }: Compared,
  demanding: readonly InboundConnector[],
  owedOf: OwedOf,
): readonly ConnectorLoss[] {
  const own = is.inboundConnectors.filter((each) => isOwn(each) && isKnownByCertificate(each));
  return demanding.filter(isKnownByCertificate).flatMap((guard) => {
    const owed = owedOf(guard);
    const today = own.find((each) => each.name === guard.name && was.id === is.id);
    if (owed === null || (today !== undefined && knowsAllOf(today, guard))) return [];
    // Which of several knows a certificate first is not looked at: all must ask as much.
    const isKept =
      own.every((each) => isGuard(each) && asksAsMuch(each, owed)) &&
      own.some((each) => knowsAllOf(each, guard));
    if (isKept) return [];
    const { connector, what } = lossOf({ was, is }, owed, null);
    return [{ connector, what: `no longer restricts servers by certificates that it knew${what}` }];
  });
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

function asksAsMuch(today: InboundConnector, earlier: InboundConnector): boolean {
  return today === earlier || inboundLosses(earlier, today).length === 0;
}

function textOfOwn({ inboundConnectors }: Organization): string {
  return JSON.stringify(inboundConnectors.filter(isOwn));
}
