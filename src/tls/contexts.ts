/**
 * What our ends of TLS are made of: versions, suites, groups, own certificates, anchors.
 *
 * Forward secrecy only, TLS 1.2 at least, no resumption, no renegotiation, no compression. For
 * `handshake.ts`; made once per configuration and replaced whole when certificates change.
 * @see RFC 9325 §3, §4
 */
import { constants, randomBytes } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import { Failure } from '../mail/failure.ts';
import type { CertificateFacts } from '../policy/evidence.ts';
import type { AnchorsName, PostQuantum } from '../policy/policy.ts';
import { hybridGroups } from '../policy/post-quantum.ts';
import type { AnchorRegistry, AnchorSet } from './anchors.ts';
import { loadOwnCertificate } from './own-certificate.ts';
import type { CertificateSource, OwnCertificate } from './own-certificate.ts';

/** In our order; Node's default list would end in suites without forward secrecy. */
export const cipherSuites: readonly string[] = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
];

/**
 * Without a hybrid share the ClientHello is small. P-256 not first: most clients send no share for
 * it, and it would cost a HelloRetryRequest.
 */
const smallGroups: readonly string[] = ['X25519', 'P-256', 'P-384'];

/** In our order. */
export const keyExchangeGroups: readonly string[] = [...hybridGroups, ...smallGroups];

const common: SecureContextOptions = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: cipherSuites.join(':'),
  ecdhCurve: keyExchangeGroups.join(':'),
  secureOptions:
    constants.SSL_OP_NO_TICKET |
    constants.SSL_OP_NO_COMPRESSION |
    constants.SSL_OP_NO_RENEGOTIATION |
    constants.SSL_OP_CIPHER_SERVER_PREFERENCE,
};

/** The server's side; immutable. */
export interface ServerTls {
  readonly context: SecureContext;
  /** Where client certificates are examined. */
  readonly anchors: AnchorRegistry;
  /** What we present, in the order of the settings. Never empty. */
  readonly certificates: readonly CertificateFacts[];
  readonly warnings: readonly string[];
}

/**
 * The same ends for a server that makes its context itself and asks for no client certificate, as
 * HTTPS does. Throws `Failure`.
 */
export async function httpsServerOptions(
  certificates: readonly CertificateSource[],
): Promise<SecureContextOptions> {
  if (certificates.length === 0) {
    throw new Failure('tls-no-certificate', 'no certificate is configured for the API');
  }
  const own = await Promise.all(certificates.map(loadOwnCertificate));
  return {
    ...common,
    cert: own.map((each) => each.chainPem),
    key: own.map((each) => each.keyPem),
    sessionIdContext: randomBytes(16).toString('hex'),
    sessionTimeout: 1,
  };
}

/**
 * One context with all own certificates (ECDSA and RSA beside each other; OpenSSL chooses by what
 * the client can). `ca` is empty on purpose: client certificates are judged by `chain.ts`, no CA
 * is hinted at, and only so Node tells the intermediates. Throws `Failure`.
 */
export async function createServerTls(settings: {
  readonly certificates: readonly CertificateSource[];
  readonly anchors: AnchorRegistry;
}): Promise<ServerTls> {
  if (settings.certificates.length === 0) {
    throw new Failure('tls-no-certificate', 'no certificate is configured for the listeners');
  }
  const own = await Promise.all(settings.certificates.map(loadOwnCertificate));
  const context = createSecureContext({
    ...common,
    ca: [],
    cert: own.map((each) => each.chainPem),
    key: own.map((each) => each.keyPem),
    // Nothing is resumed; OpenSSL still wants a context for the sessions that clients offer.
    sessionIdContext: randomBytes(16).toString('hex'),
    sessionTimeout: 1,
  });
  return {
    context,
    anchors: settings.anchors,
    certificates: own.map((each) => each.leaf),
    warnings: own.flatMap((each) => each.warnings),
  };
}

/** The client's side: contexts by anchors and own certificate, made when first used. */
export interface ClientTls {
  readonly anchors: AnchorRegistry;
  readonly warnings: readonly string[];
  /** Facts of an own certificate; null where no such one is configured. */
  ownCertificate(key: string): CertificateFacts | null;
  /** Null where the own certificate asked for is not configured. */
  context(wanted: ClientContextWanted): SecureContext | null;
}

/**
 * `clientCertificate` is a key of the settings, null presents none. `smallClientHello` is for
 * middleboxes that choke on a large one; it counts for nothing where `postQuantum` is `require`.
 */
export interface ClientContextWanted {
  readonly anchors: AnchorsName;
  readonly clientCertificate: string | null;
  readonly smallClientHello: boolean;
  readonly postQuantum: PostQuantum;
}

/** `clientCertificates` by the key that connectors name. Throws `Failure`. */
export async function createClientTls(settings: {
  readonly clientCertificates: Readonly<Record<string, CertificateSource>>;
  readonly anchors: AnchorRegistry;
}): Promise<ClientTls> {
  const own = new Map<string, OwnCertificate>();
  for (const [key, source] of Object.entries(settings.clientCertificates)) {
    own.set(key, await loadOwnCertificate(source));
  }
  const contexts = new WeakMap<AnchorSet, Map<string, SecureContext>>();
  const withoutAnchors = new Map<string, SecureContext>();
  const contextsOf = (set: AnchorSet | null): Map<string, SecureContext> => {
    if (set === null) return withoutAnchors;
    const known = contexts.get(set) ?? new Map<string, SecureContext>();
    contexts.set(set, known);
    return known;
  };
  return {
    anchors: settings.anchors,
    warnings: [...own.values()].flatMap((each) => each.warnings),
    ownCertificate: (key) => own.get(key)?.leaf ?? null,
    context(wanted) {
      const { anchors, clientCertificate } = wanted;
      const certificate = clientCertificate === null ? null : own.get(clientCertificate);
      if (certificate === undefined) return null;
      const set = settings.anchors.get(anchors);
      const known = contextsOf(set);
      const offer = offerOf(wanted);
      const key = `${offer} ${clientCertificate === null ? '' : `+${clientCertificate}`}`;
      const context = known.get(key) ?? createClientContext(set, certificate, offer);
      known.set(key, context);
      return context;
    },
  };
}

/** What the ClientHello offers: all groups, no hybrid ones, or nothing else and so TLS 1.3 only. */
type Offer = 'all' | 'small' | 'hybrid';

function offerOf({ postQuantum, smallClientHello }: ClientContextWanted): Offer {
  if (postQuantum === 'require') return 'hybrid';
  return postQuantum === 'off' || smallClientHello ? 'small' : 'all';
}

const offers: Readonly<Record<Offer, SecureContextOptions>> = {
  all: {},
  small: { ecdhCurve: smallGroups.join(':') },
  hybrid: { ecdhCurve: hybridGroups.join(':'), minVersion: 'TLSv1.3' },
};

/** Without anchors OpenSSL trusts nothing: the connection is still encrypted, its verdict is no. */
function createClientContext(
  set: AnchorSet | null,
  certificate: OwnCertificate | null,
  offer: Offer,
): SecureContext {
  return createSecureContext({
    ...common,
    ...offers[offer],
    ...(certificate === null ? {} : { cert: certificate.chainPem, key: certificate.keyPem }),
    ca: set?.toPemBlocks() ?? [],
    allowPartialTrustChain: true,
  });
}
