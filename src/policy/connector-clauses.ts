/**
 * Exchange's words for TLS on a connector, as the clause sets that they name.
 *
 * @see New-OutboundConnector (TlsSettings, TlsDomain), New-InboundConnector (RequireTls,
 * RestrictDomainsToCertificate)
 */
import type { DomainPattern } from '../mail/domain-pattern.ts';
import { formatDomainPattern } from '../mail/domain-pattern.ts';
import { parseDomain } from '../mail/domain.ts';
import { isInside } from './delivery-target.ts';
import { isPublicSuffix } from './name-match.ts';
import { hybridGroupDemand } from './post-quantum.ts';
import type { DeliveryTarget, InboundConnector, OutboundConnector } from './policy.ts';
import type { Clause, Demand, Origin, Requirement } from './tls-requirement.ts';
import { nothingRequired } from './tls-requirement.ts';

const encrypted: Demand = { kind: 'encrypted' };

/**
 * What the connector requires of the host that takes mail for `recipientDomain`. `handedTo` is the
 * organization of this gateway that takes it inside; one that the connector trusts needs no certificate.
 */
export function requirementOfOutbound(
  connector: OutboundConnector,
  recipientDomain: string,
  handedTo: string | null = null,
): Requirement {
  const isTrusted = handedTo !== null && connector.trustedOrganizations.includes(handedTo);
  const all = tlsDemands(connector, () => nameDemand(connector, recipientDomain));
  const demands = isTrusted ? all.filter(isAboutChannel) : all;
  // A group that is required cannot be had in clear, whatever the setting.
  if (connector.postQuantum === 'require') {
    demands.push(...(demands.length > 0 ? [] : [encrypted]), hybridGroupDemand);
  }
  if (demands.length === 0) return nothingRequired;
  return { clauses: withOrigin(demands, { kind: 'connector', name: connector.name }) };
}

/**
 * What is required of the server that keeps mailboxes; its name must be given, never guessed. Over a
 * network nothing goes in clear for want of a setting: only a written reason permits that.
 */
export function requirementOfTarget(target: DeliveryTarget): Requirement {
  const mayBeClear = target.clearTextReason !== null || isInside(target.address);
  const tlsSettings = target.tlsSettings ?? (mayBeClear ? null : 'EncryptionOnly');
  const demands = tlsDemands({ ...target, tlsSettings }, () =>
    target.tlsDomains.length > 0
      ? checkedNames(target.tlsDomains)
      : broken('DomainValidation of a delivery target needs a tlsDomain'),
  );
  if (demands.length === 0) return nothingRequired;
  return { clauses: withOrigin(demands, { kind: 'delivery-target', name: target.name }) };
}

/** Also a broken policy: nothing excuses that. */
function isAboutChannel({ kind }: Demand): boolean {
  return kind !== 'trust-anchors' && kind !== 'trust-spki' && kind !== 'name';
}

type TlsKeys = Pick<OutboundConnector, 'tlsSettings' | 'minVersion' | 'anchors' | 'pins'>;

/** Empty where opportunistic. */
function tlsDemands(keys: TlsKeys, demandName: () => Demand): Demand[] {
  const settings = keys.tlsSettings;
  if (settings === null) return [];
  const demands: Demand[] = [encrypted, { kind: 'min-version', version: keys.minVersion }];
  if (settings === 'CertificateValidation' || settings === 'DomainValidation') {
    demands.push(trustIn(keys.anchors, 'serverAuth'));
  }
  if (settings === 'DomainValidation') demands.push(demandName());
  if (settings === 'Pinned' || keys.pins.length > 0) demands.push(pinDemand(keys.pins));
  return demands;
}

/** DomainValidation without names: with MX the recipient's domain or a name under it. */
function nameDemand(connector: OutboundConnector, recipientDomain: string): Demand {
  if (connector.tlsDomains.length > 0) return checkedNames(connector.tlsDomains);
  if (connector.route.kind !== 'mx') {
    return broken('DomainValidation with smart hosts needs a tlsDomain');
  }
  const domain = parseDomain(recipientDomain);
  if (domain === null) return broken(`${recipientDomain} is no domain name to compare with`);
  return checkedNames([{ kind: 'wildcard', domain }]);
}

function checkedNames(references: readonly DomainPattern[]): Demand {
  const wide = references.find(
    (reference) =>
      reference.kind === 'any' ||
      (reference.kind === 'wildcard' && isPublicSuffix(reference.domain)),
  );
  if (wide === undefined) return { kind: 'name', references };
  return broken(`${formatDomainPattern(wide)} would match names of anybody`);
}

/**
 * What the connector requires of the session's TLS; addresses are judged apart. A trusted
 * organization of this gateway, which hands over inside, shows no certificate.
 */
export function requirementOfInbound(
  connector: InboundConnector,
  trustedOrganization: string | null = null,
): Requirement {
  const isTrusted =
    trustedOrganization !== null && connector.trustedOrganizations.includes(trustedOrganization);
  const demands: Demand[] = [];
  if (connector.requireTls) {
    demands.push(encrypted, { kind: 'min-version', version: connector.minVersion });
  }
  if (connector.restrictDomainsToCertificate && !isTrusted) {
    demands.push(...certificateDemands(connector));
  }
  if (connector.postQuantum === 'require') demands.push(hybridGroupDemand);
  return { clauses: withOrigin(demands, { kind: 'connector', name: connector.name }) };
}

/** What a client certificate must be to say that the session is this connector's. */
export function certificateRequirementOf(connector: InboundConnector): Requirement {
  const demands = certificateDemands(connector);
  return { clauses: withOrigin(demands, { kind: 'connector', name: connector.name }) };
}

/** Pins stand in the place of CA and name unless names are given besides. */
function certificateDemands(connector: InboundConnector): Demand[] {
  const names = connector.tlsSenderCertificateNames;
  const demands: Demand[] = [];
  if (connector.pins.length > 0) demands.push(pinDemand(connector.pins));
  if (names.length > 0) {
    demands.push(trustIn(connector.anchors, purposeOf(connector)), checkedNames(names));
  }
  return demands.length > 0 ? demands : [broken('no certificate name and no pin is given')];
}

/** A serverAuth-only client certificate is accepted by explicit rule only. */
export function purposeOf(connector: InboundConnector): 'clientAuth' | 'either' {
  return connector.acceptServerAuthOnly ? 'either' : 'clientAuth';
}

function trustIn(anchors: string, purpose: 'serverAuth' | 'clientAuth' | 'either'): Demand {
  return { kind: 'trust-anchors', anchors, purpose, revocation: 'not-checked' };
}

function pinDemand(pins: readonly string[]): Demand {
  return pins.length > 0 ? { kind: 'trust-spki', pins } : broken('no pin is given');
}

function broken(reason: string): Demand {
  return { kind: 'unsatisfiable', reason };
}

function withOrigin(demands: readonly Demand[], origin: Origin): Clause[] {
  return demands.map((demand) => ({ ...demand, origin }));
}
