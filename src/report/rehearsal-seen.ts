/** What was seen of a server that rehearsed: where it came from, its TLS, its certificates. */
import type { CertificateFacts, Evidence, PathResult, TlsEvidence } from '../policy/evidence.ts';

/** `evidence` as the organization may read it. */
export interface RehearsedSession {
  readonly clientAddress: string;
  readonly heloName: string;
  readonly evidence: Evidence;
}

const namesShownMax = 20;
const certificatesShownMax = 4;
const pathsShownMax = 6;
const nameLengthMax = 100;

/** One line of text each, not sanitized. Never empty. */
export function describeSession({ clientAddress, heloName, evidence }: RehearsedSession): string[] {
  if (evidence.encryption === 'internal') {
    return ['It was handed over inside this gateway, over no network: no certificate is shown.'];
  }
  const from = `Server: ${clientAddress}, greeted as ${cut(heloName)}`;
  const { tls } = evidence;
  if (tls === null) {
    return [from, 'Encryption: none. Your server did not use STARTTLS, which was offered.'];
  }
  return [from, `Encryption: ${describeTls(tls)}`, ...describeCertificates(tls)];
}

function describeTls({ protocol, cipherStandardName, group, resumedFrom }: TlsEvidence): string {
  const exchange = group === null ? '' : `, key exchange ${group}`;
  const resumed = resumedFrom === null ? '' : ', resumed';
  return `${protocol.replace('v', ' ')}, cipher ${cipherStandardName}${exchange}${resumed}`;
}

function describeCertificates(tls: TlsEvidence): string[] {
  const [leaf, ...others] = tls.chain;
  if (leaf === undefined) {
    return tls.isCertificateRequested === false
      ? ['Certificate: none was asked for, since no connector of this gateway needs one.']
      : ['Certificate: none was shown, although one was asked for.'];
  }
  const shown = others.slice(0, certificatesShownMax).map(describeIssuer);
  const left = others.length - shown.length;
  return [
    ...describeLeaf(leaf),
    ...(shown.length === 0 ? ['Chain: no further certificate was sent.'] : shown),
    ...(left > 0 ? [`Chain: and ${left} more certificates`] : []),
    ...tls.paths.slice(0, pathsShownMax).map(describePath),
  ];
}

function describeLeaf(leaf: CertificateFacts): string[] {
  const all = leaf.dnsNames.length > 0 ? leaf.dnsNames : [leaf.commonName ?? 'none'];
  const more = all.length > namesShownMax ? ` and ${all.length - namesShownMax} more` : '';
  return [
    `Certificate: ${cut(leaf.subject)}`,
    `Names: ${all.slice(0, namesShownMax).map(cut).join(', ')}${more}`,
    `Issuer: ${cut(leaf.issuer)}${leaf.isSelfSigned ? ' (signed by itself)' : ''}`,
    `Valid: from ${leaf.notBefore} until ${leaf.notAfter}`,
    `Fingerprint (SHA-256): ${leaf.fingerprint256}`,
    `Key (SHA-256 of the SPKI): ${leaf.spki256}`,
  ];
}

function describeIssuer({ subject, issuer, notAfter }: CertificateFacts): string {
  return `Chain: ${cut(subject)}, issued by ${cut(issuer)}, until ${notAfter}`;
}

const purposes = {
  clientAuth: 'for clients',
  serverAuth: 'for servers',
  either: 'for clients or servers',
} as const;

function describePath(path: PathResult): string {
  const what = `${path.anchors}, certificates ${purposes[path.purpose]}`;
  return path.kind === 'reached'
    ? `Trust: leads to a trusted CA (${what}), valid until ${path.notAfter}`
    : `Trust: leads to NO trusted CA (${what}): ${path.problem}, ${cut(path.detail)}`;
}

function cut(text: string): string {
  return text.length > nameLengthMax ? `${text.slice(0, nameLengthMax)}...` : text;
}
