/**
 * Checks between keys of an outbound connector: nothing set is ever silently ignored.
 *
 * Each refusal says what would make the key act.
 * @see New-OutboundConnector
 */
import { formatAddress } from '../mail/address.ts';
import { matchesDomainPattern } from '../mail/domain-pattern.ts';
import { isPublicSuffix } from '../policy/name-match.ts';
import { validationRecipientsMax } from '../policy/validation/run.ts';
import { isAccepted } from './check-organization.ts';
import { checkCertificateName } from './check-listeners.ts';
import type { Located, Parts, Report } from './parts.ts';
import type { ParsedOutbound } from './schema-connectors.ts';

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
    checkCentral(parts, connector, refuse);
    checkOwnServers(value, refuse);
    checkRoute(connector, refuse);
    checkTls(value, refuse);
    checkMode(connector, refuse);
    checkTrusted(value, refuse);
    checkValidationRecipients(parts, connector, report);
    checkValidationEvery(value, refuse);
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
    if (value.routeAllMessagesViaOnPremises) refuse('routeAllMessagesViaOnPremises', text);
  } else if (
    recipientDomains.length === 0 &&
    !allAcceptedDomains &&
    !value.routeAllMessagesViaOnPremises
  ) {
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

/** Centralized mail transport: one way out for everything. */
function checkCentral(
  parts: Parts,
  { value, path }: Located<ParsedOutbound>,
  refuse: Refuse,
): void {
  if (!value.routeAllMessagesViaOnPremises) return;
  const key = 'routeAllMessagesViaOnPremises';
  if (value.connectorType !== 'OnPremises') {
    refuse(key, 'needs connectorType: OnPremises, since the mail goes to your own servers first');
  } else if (value.smartHosts.length === 0) {
    refuse(
      key,
      "needs smartHosts: your servers; by MX the mail would go past them, to the recipient's",
    );
  }
  if (!value.enabled) return;
  const first = parts.outbound.find(
    ({ value: other }) => other.enabled && other.routeAllMessagesViaOnPremises,
  );
  if (first === undefined || first.path === path) return;
  refuse(key, `"${first.value.name}" takes all messages already; only one connector can`);
}

function checkOwnServers(value: ParsedOutbound, refuse: Refuse): void {
  if (value.connectorType === 'OnPremises' || !value.cloudServicesMailEnabled) return;
  const text =
    'needs connectorType: OnPremises: what X-MS-Exchange-Organization-* say about mail is for your own servers only';
  refuse('cloudServicesMailEnabled', text);
}

/** Exchange's TestMode and our mode say the same thing, or one of them is wrong. */
function checkMode({ value, given }: Located<ParsedOutbound>, refuse: Refuse): void {
  if (value.testMode === null || !given.has('mode')) return;
  if (value.testMode && value.mode !== 'observe') {
    refuse(
      'mode',
      `${value.mode} contradicts testMode: true, which is observe; keep one of the two`,
    );
  }
  if (!value.testMode && value.mode !== 'enforce') {
    refuse('testMode', `false contradicts mode: ${value.mode}; keep mode`);
  }
}

/** Only a certificate clause is met by a trusted organization, and only where mail stays inside. */
function checkTrusted(value: ParsedOutbound, refuse: Refuse): void {
  if (value.trustedOrganizations.length === 0) return;
  const settings = value.tlsSettings ?? 'Opportunistic';
  if (value.smartHosts.length > 0) {
    refuse(
      'trustedOrganizations',
      'has no effect with smartHosts: mail to them never stays inside',
    );
  } else if (!isValidating(value) && settings !== 'Pinned') {
    const text = `has no effect with ${settings}: mail handed over inside is encrypted, and no certificate is demanded`;
    refuse('trustedOrganizations', text);
  }
}

function checkValidationRecipients(
  parts: Parts,
  { value, path }: Located<ParsedOutbound>,
  report: Report,
): void {
  if (value.validationRecipients.length > validationRecipientsMax) {
    const text = `has more than ${validationRecipientsMax} addresses, the most that are tested`;
    report({ path: [...path, 'validationRecipients'], at: 'key', text });
  }
  if (value.isTransportRuleScoped || value.routeAllMessagesViaOnPremises) return;
  value.validationRecipients.forEach((address, place) => {
    const isTaken =
      value.recipientDomains.some((pattern) => matchesDomainPattern(pattern, address.domain)) ||
      (value.allAcceptedDomains && isAccepted(parts, address.domain));
    if (isTaken) return;
    const text = `${formatAddress(address)} is not in recipientDomains: mail to it does not take this connector`;
    report({ path: [...path, 'validationRecipients', place], at: 'value', text });
  });
}

/** Without an address the hosts must be known from the connector alone. */
function checkValidationEvery(value: ParsedOutbound, refuse: Refuse): void {
  if (value.validationEvery === null || value.validationRecipients.length > 0) return;
  const namesDomain = value.recipientDomains.some(({ kind }) => kind !== 'any');
  if (value.smartHosts.length > 0 || value.allAcceptedDomains || namesDomain) return;
  const text =
    'needs validationRecipients: the connector names neither a domain nor a smart host to look at';
  refuse('validationEvery', text);
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
  if (settings === 'Opportunistic' && value.postQuantum === 'require') {
    const text =
      'require needs a tlsSettings that forces TLS, as EncryptionOnly; clear text would be sent else';
    refuse('postQuantum', text);
  }
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
