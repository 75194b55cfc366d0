/**
 * Checks between keys of an outbound connector: nothing set is ever silently ignored.
 *
 * Each refusal says what would make the key act.
 * @see New-OutboundConnector
 */
import { isPublicSuffix } from '../policy/name-match.ts';
import { checkCertificateName } from './check-listeners.ts';
import type { Located, Parts, Report } from './parts.ts';
import type { ParsedOutbound } from './schema-organization.ts';

export type Refuse = (key: string, text: string) => void;

export function checkOutbound(parts: Parts, report: Report): void {
  const names = new Set<string>();
  for (const connector of parts.outbound) {
    const { value, path } = connector;
    if (names.has(value.name.toLowerCase())) {
      const text = `there is another outbound connector "${value.name}" (case is ignored)`;
      report({ path: [...path, 'name'], at: 'value', text });
    }
    names.add(value.name.toLowerCase());
    const refuse: Refuse = (key, text) => report({ path: [...path, key], at: 'key', text });
    checkUse(connector, refuse);
    checkRoute(connector, refuse);
    checkTls(value, refuse);
    if (value.clientCertificate !== null) {
      const here = [...path, 'clientCertificate'];
      checkCertificateName(parts, value.clientCertificate, here, report);
    }
  }
}

function checkUse({ value }: Located<ParsedOutbound>, refuse: Refuse): void {
  const { recipientDomains, allAcceptedDomains, isTransportRuleScoped } = value;
  if (allAcceptedDomains && value.connectorType !== 'OnPremises') {
    const text =
      'needs connectorType: OnPremises, since mail to accepted domains goes to your own servers';
    refuse('allAcceptedDomains', text);
  }
  if (isTransportRuleScoped) {
    const text = 'has no effect with isTransportRuleScoped: true, where only rules choose';
    if (recipientDomains.length > 0) refuse('recipientDomains', text);
    if (allAcceptedDomains) refuse('allAcceptedDomains', text);
  } else if (recipientDomains.length === 0 && !allAcceptedDomains) {
    refuse('name', 'is never used: set recipientDomains (or allAcceptedDomains, or remove it)');
  }
}

function checkRoute({ value }: Located<ParsedOutbound>, refuse: Refuse): void {
  const hasHosts = value.smartHosts.length > 0;
  if (value.useMXRecord === false && !hasHosts) {
    refuse('useMXRecord', 'false needs smartHosts: the hosts to send to instead');
  }
  if (value.useMXRecord === true && hasHosts) {
    refuse('useMXRecord', 'true cannot be with smartHosts: keep one of the two');
  }
}

/** The keys about TLS that connectors and delivery targets share. */
type TlsKeys = Pick<
  ParsedOutbound,
  'tlsSettings' | 'tlsDomain' | 'pins' | 'anchors' | 'minVersion'
>;

const isValidating = (value: TlsKeys): boolean =>
  value.tlsSettings === 'CertificateValidation' || value.tlsSettings === 'DomainValidation';

function checkTls(value: ParsedOutbound, refuse: Refuse): void {
  const settings = value.tlsSettings ?? 'Opportunistic';
  checkTlsKeys(value, refuse);
  if (settings === 'DomainValidation' && value.tlsDomain.length === 0) checkNameless(value, refuse);
  if (settings !== 'Opportunistic' && value.clearTextAfterFailedTls) {
    refuse('clearTextAfterFailedTls', `contradicts tlsSettings: ${settings}, which forces TLS`);
  }
}

/** What acts with which `tlsSettings`. */
export function checkTlsKeys(value: TlsKeys, refuse: Refuse): void {
  const settings = value.tlsSettings ?? 'Opportunistic';
  if (value.tlsDomain.length > 0 && settings !== 'DomainValidation') {
    refuse('tlsDomain', `acts only with tlsSettings: DomainValidation, not with ${settings}`);
  }
  if (value.pins.length > 0 && !isValidating(value) && settings !== 'Pinned') {
    const text = `act only with tlsSettings: Pinned, CertificateValidation or DomainValidation, not with ${settings}`;
    refuse('pins', text);
  }
  if (settings === 'Pinned' && value.pins.length === 0) {
    refuse('tlsSettings', 'Pinned needs pins: the keys one of which the certificate must have');
  }
  if (value.anchors !== 'bundled' && !isValidating(value)) {
    const text = `act only with tlsSettings: CertificateValidation or DomainValidation, not with ${settings}`;
    refuse('anchors', text);
  }
  if (settings === 'Opportunistic' && value.minVersion !== 'TLSv1.2') {
    refuse(
      'minVersion',
      'needs a tlsSettings that forces TLS, as EncryptionOnly; clear text would be sent else',
    );
  }
}

/** Without names the recipient's domain stands in, where it can. */
function checkNameless(value: ParsedOutbound, refuse: Refuse): void {
  if (value.smartHosts.length > 0) {
    const text =
      "DomainValidation with smartHosts needs tlsDomain: the name on the smart host's certificate";
    refuse('tlsSettings', text);
    return;
  }
  const suffix = value.recipientDomains.find(
    (pattern) => pattern.kind === 'exact' && isPublicSuffix(pattern.domain),
  );
  if (suffix === undefined || suffix.kind === 'any') return;
  const text = `DomainValidation for ${suffix.domain} needs tlsDomain: anybody can register names under it`;
  refuse('tlsSettings', text);
}
