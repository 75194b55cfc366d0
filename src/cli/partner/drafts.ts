/** From the answers to the connectors that they mean, as they would stand in a configuration. Pure. */
import type { ChangesOrderInput } from '../../api/contract/policy-objects.ts';
import { canonicalName } from '../../config/policy-object.ts';
import type { ObjectPlace, ObjectValue } from '../policy-objects/policy-objects-client.ts';
import type { ConnectorKind, Situation } from './answers.ts';
import { hasSenderName, isInbound, isOutbound, isValidated, listOf, wordOf } from './answers.ts';

/** A connector that would be made. */
export interface Draft {
  readonly place: ObjectPlace & { readonly kind: ConnectorKind };
  readonly value: ObjectValue;
}

/** One for each direction, outbound first; every question that applies was answered. */
export function draftsOf(situation: Situation): readonly Draft[] {
  return [
    ...(isOutbound(situation) ? [draft('outbound-connector', outboundValue(situation))] : []),
    ...(isInbound(situation) ? [draft('inbound-connector', inboundValue(situation))] : []),
  ];

  function draft(kind: ConnectorKind, value: ObjectValue): Draft {
    const name = canonicalName(kind, wordOf(situation, 'name'));
    return { place: { kind, organization: wordOf(situation, 'organization'), name }, value };
  }
}

/** A draft to look with: what CAs say is judged, and no name yet. */
export function draftToLookWith(situation: Situation): ObjectValue {
  const { name, recipientDomains, smartHosts } = outboundValue(situation);
  const anchors = anchorsOf(situation, true);
  return {
    name,
    recipientDomains,
    ...(smartHosts === undefined ? {} : { smartHosts }),
    tlsSettings: 'CertificateValidation',
    ...anchors,
  };
}

function outboundValue(situation: Situation): ObjectValue {
  return {
    name: wordOf(situation, 'name'),
    ...modeOf(situation),
    recipientDomains: listOf(situation, 'recipientDomains'),
    ...some(situation, 'smartHosts', 'smartHosts'),
    tlsSettings: wordOf(situation, 'tlsSettings'),
    ...some(situation, 'tlsDomain', 'tlsDomain'),
    ...some(situation, 'pins', 'pins'),
    ...anchorsOf(situation, isValidated(situation)),
  };
}

function inboundValue(situation: Situation): ObjectValue {
  const requireTls = wordOf(situation, 'requireTls') === 'true';
  const proof = wordOf(situation, 'senderProof');
  const isCertified = requireTls && (proof === 'name' || proof === 'pins');
  const hasAddresses = listOf(situation, 'ip').length > 0;
  const isLoose = wordOf(situation, 'acceptServerAuthOnly') === 'true';
  return {
    name: wordOf(situation, 'name'),
    ...modeOf(situation),
    senderDomains: listOf(situation, 'senderDomains'),
    requireTls,
    ...(isCertified ? { restrictDomainsToCertificate: true } : {}),
    ...some(situation, 'tlsSenderCertificateName', 'tlsSenderCertificateName'),
    ...(isLoose ? { acceptServerAuthOnly: true } : {}),
    ...some(situation, 'senderPins', 'pins'),
    ...anchorsOf(situation, hasSenderName(situation)),
    ...(hasAddresses ? { restrictDomainsToIPAddresses: true } : {}),
    ...some(situation, 'ip', 'senderIPAddresses'),
  };
}

/** What does not bind is said; `enforce` is the default. */
function modeOf(situation: Situation): ObjectValue {
  const mode = wordOf(situation, 'mode');
  return mode === 'enforce' || mode === '' ? {} : { mode };
}

function anchorsOf(situation: Situation, doAct: boolean): ObjectValue {
  const anchors = wordOf(situation, 'anchors');
  return !doAct || anchors === 'bundled' || anchors === '' ? {} : { anchors };
}

function some(situation: Situation, from: Parameters<typeof listOf>[1], key: string): ObjectValue {
  const list = listOf(situation, from);
  return list.length === 0 ? {} : { [key]: list };
}

/** All of them or none; what bears such a name already is never overwritten. */
export function changesOf(drafts: readonly Draft[]): ChangesOrderInput['changes'] {
  return drafts.map(({ place: object, value }) => ({
    kind: 'put',
    object,
    value: { ...value },
    expect: 'absent',
  }));
}
