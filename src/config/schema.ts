/**
 * The configuration's schema: the one place that knows each key, its type, default, unit and meaning.
 *
 * For `load.ts`, which validates with it, and for `docs/config.md`, which is written from it.
 */
import { z } from 'zod';
import {
  field,
  fieldOr,
  fieldOrNull,
  listOf,
  oneOrMore,
  oneOrMoreOrNone,
  section,
} from './field.ts';
import { domainVerifications } from './domain-verification.ts';
import { addressRange, domainName, filePath, ipAddress } from './mail-readers.ts';
import { choice, duration, flag, integer, parsed, text } from './readers.ts';
import { apiSection } from './schema-api.ts';
import { limitsSection, timeoutsSection } from './schema-limits.ts';
import { organizationSection } from './schema-organization.ts';
import { signInSection } from './schema-sign-in.ts';

const listenerSection = section({
  name: field(text(64, 'a name'), 'Names the listener in logs; unique.'),
  host: field(ipAddress(), 'The IP address to listen on; `0.0.0.0` or `::` for all.'),
  port: field(
    integer(0, 65_535),
    'The TCP port: 25 for other mail servers, 587 and 465 for submission; 0 takes any free port.',
  ),
  kind: field(
    choice(['mx', 'submission']),
    '`mx` takes mail from other servers for accepted domains; `submission` takes mail from signed-in accounts to anywhere.',
  ),
  tls: fieldOr(
    choice(['starttls', 'implicit']),
    'starttls',
    '`starttls` begins in clear and offers STARTTLS; `implicit` speaks TLS from the first byte (port 465).',
  ),
  requestClientCertificate: fieldOrNull(
    flag(),
    'true on `mx`, false on `submission`',
    'Ask the client for a certificate. Connectors that know a client by its certificate need it on every `mx` listener.',
  ),
  proxyProtocol: oneOrMoreOrNone(
    addressRange(),
    'Load balancers in front of this listener. From these addresses each connection must begin with a PROXY protocol header of version 2 (HAProxy: `send-proxy-v2`), and the client that it names is the one that is judged, limited and logged. From all other addresses no such header is believed.',
  ),
  bareLineBreaks: fieldOr(
    choice(['refuse', 'normalize']),
    'refuse',
    'What becomes of a message with a CR or LF that stands alone: `refuse` answers 550 5.6.11; `normalize` makes it CRLF, for old devices that cannot be mended. Signatures (DKIM) over such a message may break. Only CRLF, dot, CRLF ends a message either way.',
  ),
  serverCertificates: oneOrMore(
    text(64, 'the name of an entry of certificates'),
    'The certificates that this listener presents, instead of the general `serverCertificates`.',
  )
    .meta({
      description:
        'The certificates that this listener presents, instead of the general `serverCertificates`.',
      form: 'the name of an entry of certificates; one, or a list',
      absent: 'the general serverCertificates',
    })
    .nullable()
    .default(null),
});

const certificateSection = section({
  certificate: field(
    filePath(),
    'PEM file: our certificate first, then the intermediates that lead to its CA.',
  ),
  key: field(filePath(), 'PEM file with the private key, unencrypted, readable to `user` only.'),
});

const dnsSection = section({
  servers: oneOrMoreOrNone(
    parsed('an address, or address:port', readServer),
    'The resolvers to ask, in this order. None: those of /etc/resolv.conf.',
  ),
  trustAd: fieldOr(
    flag(),
    false,
    'Believe the AD bit (DNSSEC was checked) of these resolvers. The AD bit of a resolver on loopback is always believed.',
  ),
  timeout: fieldOr(duration('100ms', '1m'), '5s', 'How long one try of one resolver may take.'),
});

const networkSection = section({
  allow: oneOrMoreOrNone(
    addressRange(),
    'Addresses that mail may be sent to although they are loopback, private or link-local. Without an entry Postern dials public addresses only, so that nobody reaches your inner network through it. It binds what DNS names, and smart hosts that an administrator of an organization names; what the administrator of the gateway names as `deliveryTargets` and `smartHosts` needs no entry. An entry is for every organization: a connector of each may name what it lists.',
  ),
  allowPorts: oneOrMoreOrNone(
    integer(1, 65_535),
    'Ports that mail may be sent to besides 25, 465, 587 and 24, as `allow`: not needed for what the administrator of the gateway names.',
  ),
});

const queueSection = section({
  retryFirst: fieldOr(
    duration('1s', '15m'),
    '15m',
    'How long a delivery waits after its first failure; the wait doubles each time. Where the sender is to be told of a delay sooner (`delayNotices`), it is tried once more before that.',
  ),
  retryMax: fieldOr(duration('1s', '60m'), '60m', 'The longest wait between two tries.'),
  expiry: fieldOr(
    duration('1m', '7d'),
    '24h',
    'How long a message is tried before it is returned; an organization may set its own.',
  ),
  expiryMax: fieldOr(
    duration('24h', '7d'),
    '24h',
    'The longest `expiry` that an organization may set for itself; never less than `expiry` here.',
  ),
});

const lanes = {
  form: 'auto, or a whole number from 1 to 32',
  read: (raw: unknown) =>
    raw === 'auto' || (Number.isSafeInteger(raw) && Number(raw) >= 1 && Number(raw) <= 32)
      ? { value: raw as 'auto' | number }
      : { wrong: 'must be auto, or a whole number from 1 to 32' },
};

/** The whole file. */
export const configSchema = section({
  hostName: field(
    domainName(),
    'Our own name in the greeting, in EHLO and in Received; it should resolve to our public address.',
  ),
  dataFolder: fieldOr(
    filePath(),
    './data',
    'Where queue, mailboxes, trace and the API socket live. Relative paths start at the folder of this file.',
  ),
  user: fieldOrNull(
    text(32, 'the name of a user'),
    'the user who starts Postern',
    'Run as this user once the ports are open. Needed when started as root; `root` itself must be written out.',
  ),
  lanes: fieldOr(
    lanes,
    'auto',
    'Processes that receive and deliver. `auto`: one on up to two cores, else half the cores.',
  ),
  listeners: listOf(listenerSection).meta({
    description: 'The addresses and ports on which mail is taken. At least one.',
  }),
  certificates: z
    .preprocess(
      (raw) => (raw === null ? {} : raw),
      z.record(z.string(), certificateSection, { error: () => 'must be a mapping of names' }),
    )
    .prefault({})
    .meta({
      description:
        'Our own certificates, each under a name of your choice. Files are read again when they change.',
    }),
  serverCertificates: oneOrMoreOrNone(
    text(64, 'the name of an entry of certificates'),
    'Names of the certificates that listeners present, as an ECDSA and an RSA one.',
  ),
  dns: dnsSection.prefault({}).meta({ description: 'How names are looked up.' }),
  network: networkSection.prefault({}).meta({ description: 'Where mail may be sent to.' }),
  queue: queueSection.prefault({}).meta({ description: 'How long delivery is tried.' }),
  limits: limitsSection.prefault({}).meta({ description: 'Bounds on everything that could grow.' }),
  timeouts: timeoutsSection.prefault({}).meta({
    description: 'How long each side of a session is waited for. See RFC 5321 §4.5.3.2.',
  }),
  trace: section({
    retention: fieldOr(
      duration('1h', '3650d'),
      '30d',
      'How long the record of each message is kept after its last delivery.',
    ),
  })
    .prefault({})
    .meta({ description: 'The record of what became of each message, and why.' }),
  log: section({
    level: fieldOr(
      choice(['debug', 'info', 'warn', 'error']),
      'info',
      'The least important lines that are logged.',
    ),
    addresses: fieldOr(
      choice(['full', 'masked']),
      'full',
      '`masked` keeps the local-parts of mail addresses out of the log: `a…@contoso.com`. The trace has them all the same.',
    ),
  })
    .prefault({})
    .meta({ description: 'The log, JSON lines on standard output.' }),
  metrics: section({
    host: fieldOr(
      ipAddress(),
      '127.0.0.1',
      'The IP address on which `/metrics`, `/livez` and `/readyz` are answered, without TLS and without sign-in: for your monitoring alone.',
    ),
    port: fieldOrNull(integer(0, 65_535), 'no such listener', 'The TCP port; 9464 is usual.'),
  })
    .prefault({})
    .meta({ description: 'What Prometheus and health checks ask.' }),
  api: apiSection.prefault({}).meta({ description: 'The HTTP API on the network.' }),
  signIn: signInSection
    .prefault({})
    .meta({ description: 'How people sign in to the HTTP API on the network.' }),
  domainVerification: fieldOr(
    choice(domainVerifications),
    'txt',
    '`txt`: mail for an accepted domain is put off (450) until a TXT record there shows that it belongs to its organization; see docs/operating.md, Domains. Names that cannot be in public DNS (under test, example, invalid, localhost, local, internal, onion, alt, home.arpa, and names without a dot) need none. `off`: every domain is taken as written; for a gateway whose organizations are all yours.',
  ),
  organizations: listOf(organizationSection).prefault([]).meta({
    description:
      'Whose mail this is: domains, mailboxes, connectors. Several share the gateway without seeing each other. A domain, and a name to sign in with, belongs to one of them.',
  }),
});

export type ParsedConfig = z.output<typeof configSchema>;
export type ParsedListener = z.output<typeof listenerSection>;

/** The schema of one listener, to read one while others are broken. */
export { listenerSection };

function readServer(raw: string): { value: string } | { wrong: string } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+|[0-9A-Fa-f:.]+))(?::(\d{1,5}))?$/.exec(raw);
  const bare = ipAddress().read(raw);
  if ('value' in bare) return bare;
  const host = match === null ? null : ipAddress().read(match[1] ?? match[2]);
  const port = Number(match?.[3] ?? 53);
  if (host === null || !('value' in host) || port < 1 || port > 65_535) {
    return {
      wrong: `must be an IP address, address:port or [IPv6]:port, not ${JSON.stringify(raw)}`,
    };
  }
  const isV6 = host.value.includes(':');
  return { value: isV6 ? `[${host.value}]:${port}` : `${host.value}:${port}` };
}
