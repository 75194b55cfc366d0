/**
 * Checks between keys of a delivery target: what acts, and that no mail crosses a network in clear
 * without a reason in writing.
 */
import { isInside } from '../policy/delivery-target.ts';
import { checkCertificateName } from './check-listeners.ts';
import type { Refuse } from './check-outbound.ts';
import { checkTlsKeys } from './check-outbound.ts';
import type { Located, Parts, Report } from './parts.ts';
import type { ParsedDeliveryTarget } from './schema-recipients.ts';
import { tlsSettingsOf } from './to-policy.ts';

export function checkTargets(parts: Parts, report: Report): void {
  const names = new Set<string>();
  for (const target of parts.deliveryTargets) {
    const { value, path } = target;
    const refuse: Refuse = (key, text) => report({ path: [...path, key], at: 'key', text });
    if (names.has(value.name.toLowerCase())) {
      refuse('name', `there is another delivery target "${value.name}" (case is ignored)`);
    }
    names.add(value.name.toLowerCase());
    checkAddress(value, refuse);
    if (value.address.kind === 'unix') checkSocket(target, refuse);
    else checkHost(value, refuse);
    if (value.clientCertificate !== null) {
      checkCertificateName(parts, value.clientCertificate, [...path, 'clientCertificate'], report);
    }
    warnOfUnused(parts, target, report);
  }
}

/** LMTP has a port of its own. */
function checkAddress(value: ParsedDeliveryTarget, refuse: Refuse): void {
  const { address, protocol } = value;
  if (address.kind === 'host' && protocol === 'lmtp' && address.port === 25) {
    refuse('address', 'port 25 is for SMTP, never for LMTP: name its port (24 is usual)');
  }
}

const tlsKeys = ['tlsSettings', 'tlsDomain', 'pins', 'anchors', 'minVersion', 'clientCertificate'];

function checkSocket({ given }: Located<ParsedDeliveryTarget>, refuse: Refuse): void {
  for (const key of [...tlsKeys, 'clearTextReason']) {
    if (!given.has(key)) continue;
    refuse(key, 'has no effect on a Unix socket, which never leaves this machine; remove it');
  }
}

function checkHost(value: ParsedDeliveryTarget, refuse: Refuse): void {
  const settings = tlsSettingsOf(value);
  checkTlsKeys({ ...value, tlsSettings: settings }, refuse);
  if (settings === 'DomainValidation' && value.tlsDomain.length === 0) {
    refuse('tlsSettings', "DomainValidation needs tlsDomain: the name on the server's certificate");
  }
  const mayBeClear = settings === 'Opportunistic' && !isInside(value.address);
  if (mayBeClear && value.clearTextReason === null) {
    const text =
      'Opportunistic may send mail in clear to another machine: write EncryptionOnly or stricter, or say why in clearTextReason';
    refuse('tlsSettings', text);
  }
  if (!mayBeClear && value.clearTextReason !== null) {
    const why = isInside(value.address)
      ? 'loopback never leaves this machine'
      : `${settings} never sends in clear`;
    refuse('clearTextReason', `has no effect: ${why}`);
  }
}

function warnOfUnused(
  parts: Parts,
  { value, path }: Located<ParsedDeliveryTarget>,
  report: Report,
): void {
  if (!parts.acceptedDomainsAreWhole) return;
  if (parts.acceptedDomains.some((domain) => domain.value.deliveryTarget === value.name)) return;
  const text = 'is used by no accepted domain: name it in deliveryTarget of one';
  report({ path: [...path, 'name'], at: 'value', text, severity: 'warning' });
}
