/** What an outbound connector demands, as a level of Postfix's SMTP client with its attributes. */
import type { DomainPattern } from '../../mail/domain-pattern.ts';
import type { ParsedOutbound } from '../schema-connectors.ts';

export interface PostfixLevel {
  /** As a policy map has it. */
  readonly text: string;
  /** The same for mail that no policy map names, as parameters of main.cf. */
  readonly general: readonly (readonly [string, string])[];
  /** Parameters of main.cf without which the text does not act. */
  readonly main: readonly (readonly [string, string])[];
  readonly remarks: readonly string[];
  readonly strictness: number;
}

export function levelOf(connector: ParsedOutbound): PostfixLevel {
  const isBinding = connector.mode === 'enforce' && connector.testMode !== true;
  const settings = isBinding ? (connector.tlsSettings ?? 'Opportunistic') : 'Opportunistic';
  const remarks = remarksOn(connector, isBinding);
  if (settings === 'Opportunistic') {
    return { ...plain('may', 0), remarks };
  }
  if (settings === 'EncryptionOnly') return withVersion(plain('encrypt', 1), connector, remarks);
  if (settings === 'Pinned' || connector.pins.length > 0) return pinned(connector, remarks);
  return validated(connector, remarks);
}

type Plain = Omit<PostfixLevel, 'remarks'>;

function plain(word: string, strictness: number): Plain {
  return { text: word, general: [['smtp_tls_security_level', word]], main: [], strictness };
}

function validated(connector: ParsedOutbound, remarks: readonly string[]): PostfixLevel {
  const names = connector.tlsDomain.flatMap(toMatch);
  const isAnyName = connector.tlsSettings === 'CertificateValidation';
  const match = names.length === 0 ? '' : ` match=${names.join(':')}`;
  const isFile = connector.anchors.startsWith('file:');
  const file = isFile ? connector.anchors.slice('file:'.length) : null;
  const level: Plain = {
    text: `secure${match}${file === null ? '' : ` tafile=${file}`}`,
    general: [
      ['smtp_tls_security_level', 'secure'],
      ...(names.length === 0 ? [] : [['smtp_tls_secure_cert_match', names.join(', ')] as const]),
      ...(file === null ? [] : [['smtp_tls_CAfile', file] as const]),
    ],
    main: file === null ? [['smtp_tls_CApath', '/etc/ssl/certs']] : [],
    strictness: 3,
  };
  const more = isAnyName
    ? [
        'Postfix does not take a trusted certificate of any name: the recipient domain is wanted too',
      ]
    : [];
  return withVersion(level, connector, [...remarks, ...more]);
}

/** Postfix compares a hash of the key too, so a pin is one of its fingerprints. */
function pinned(connector: ParsedOutbound, remarks: readonly string[]): PostfixLevel {
  const hashes = connector.pins.map((pin) =>
    Buffer.from(pin, 'base64')
      .toString('hex')
      .toUpperCase()
      .replace(/..(?=.)/g, '$&:'),
  );
  const level: Plain = {
    text: `fingerprint match=${hashes.join('|')}`,
    general: [
      ['smtp_tls_security_level', 'fingerprint'],
      ['smtp_tls_fingerprint_cert_match', hashes.join(', ')],
    ],
    main: [['smtp_tls_fingerprint_digest', 'sha256']],
    strictness: 2,
  };
  const more =
    connector.tlsSettings === 'Pinned'
      ? []
      : ['the key decides alone: Postfix does not want a CA and a name besides'];
  return withVersion(level, connector, [...remarks, ...more]);
}

function withVersion(
  level: Plain,
  connector: ParsedOutbound,
  remarks: readonly string[],
): PostfixLevel {
  const isNew = connector.minVersion === 'TLSv1.3' || connector.postQuantum === 'require';
  if (!isNew) return { ...level, remarks };
  return {
    ...level,
    text: `${level.text} protocols=>=TLSv1.3`,
    general: [...level.general, ['smtp_tls_mandatory_protocols', '>=TLSv1.3']],
    remarks,
  };
}

/** `*.contoso.com` is the domain and all below it. */
function toMatch(pattern: DomainPattern): string[] {
  if (pattern.kind === 'any') return [];
  return pattern.kind === 'wildcard' ? [pattern.domain, `.${pattern.domain}`] : [pattern.domain];
}

function remarksOn(connector: ParsedOutbound, isBinding: boolean): string[] {
  const { clientCertificate, postQuantum, trustedOrganizations } = connector;
  return [
    ...(isBinding ? [] : ['what it demands is only watched, which Postfix cannot do']),
    ...(clientCertificate === null
      ? []
      : [`presents "${clientCertificate}": Postfix has one for all (smtp_tls_cert_file)`]),
    ...(postQuantum === 'require' ? ['a post-quantum key exchange cannot be demanded'] : []),
    ...(trustedOrganizations.length === 0 ? [] : ['trustedOrganizations mean nothing to Postfix']),
    ...(connector.cloudServicesMailEnabled
      ? ['X-MS-Exchange-CrossPremises-* are not written by Postfix']
      : []),
  ];
}
