/**
 * The decision and evidence values of `policy` as zod schemas, so that the API shows and documents
 * exactly the value that decided.
 *
 * Each is held to its type by the compiler; for `contract.ts`.
 */
import { z } from 'zod';
import type { DomainPattern } from '../mail/domain-pattern.ts';
import type { Considered, OutboundDecision, ShadowDemand } from '../policy/decision.ts';
import type { CertificateFacts, Evidence, PathResult, TlsEvidence } from '../policy/evidence.ts';
import type { DeliveryTarget, Route } from '../policy/policy.ts';
import type { ShadowOutcome } from '../policy/shadow.ts';
import type { Clause, Requirement } from '../policy/tls-requirement.ts';
import { mayBeAbsent } from './contract/absent-key.ts';

const domainPattern: z.ZodType<DomainPattern> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('exact'), domain: z.string() }),
  z.object({ kind: z.literal('wildcard'), domain: z.string() }),
  z.object({ kind: z.literal('any') }),
]);

const origin = z.object({
  kind: z.enum([
    'connector',
    'rule',
    'mta-sts',
    'dane',
    'requiretls',
    'floor',
    'dsn',
    'alias',
    'delivery-target',
  ]),
  name: z.string(),
});

const purpose = z.enum(['serverAuth', 'clientAuth', 'either']);

/** One clause of a requirement, with who demands it. */
export const clauseSchema: z.ZodType<Clause> = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('encrypted'), origin }),
    z.object({
      kind: z.literal('min-version'),
      version: z.enum(['TLSv1.2', 'TLSv1.3']),
      origin,
    }),
    z.object({ kind: z.literal('group'), groups: z.array(z.string()), origin }),
    z.object({
      kind: z.literal('trust-anchors'),
      anchors: z.string(),
      purpose,
      revocation: z.literal('not-checked'),
      origin,
    }),
    z.object({ kind: z.literal('trust-spki'), pins: z.array(z.string()), origin }),
    z.object({ kind: z.literal('name'), references: z.array(domainPattern), origin }),
    z.object({ kind: z.literal('unsatisfiable'), reason: z.string(), origin }),
  ])
  .meta({ id: 'Clause', description: 'One thing that TLS must be; all clauses must hold' });

const requirement: z.ZodType<Requirement> = z.object({ clauses: z.array(clauseSchema) });

/** A connector that was looked at, and why it won or lost. */
export const consideredSchema: z.ZodType<Considered> = z
  .object({ connector: z.string(), result: z.enum(['chosen', 'lost']), reason: z.string() })
  .meta({ id: 'Considered' });

const smartHosts = z.object({
  kind: z.literal('smart-hosts'),
  hosts: z.array(
    z.object({
      host: z.string(),
      port: z.int().min(1).max(65_535),
      setBy: mayBeAbsent(z.literal('organization')).meta({
        description: 'its administrator named it: inner addresses take an entry of network.allow',
      }),
    }),
  ),
});

const mx = z.object({ kind: z.literal('mx') });

const route: z.ZodType<Route> = z.discriminatedUnion('kind', [mx, smartHosts]);

const deliveryTarget: z.ZodType<DeliveryTarget> = z
  .object({
    name: z.string(),
    protocol: z.enum(['lmtp', 'smtp']),
    address: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('unix'), path: z.string() }),
      z.object({
        kind: z.literal('host'),
        host: z.string(),
        port: z.int().min(1).max(65_535),
      }),
    ]),
    tlsSettings: z
      .enum(['EncryptionOnly', 'CertificateValidation', 'DomainValidation', 'Pinned'])
      .nullable(),
    tlsDomains: z.array(domainPattern),
    pins: z.array(z.string()),
    minVersion: z.enum(['TLSv1.2', 'TLSv1.3']),
    anchors: z.string(),
    clientCertificate: z.string().nullable(),
    clearTextReason: z.string().nullable(),
  })
  .meta({ id: 'HandOverTarget', description: 'The server that keeps mailboxes, as a hop' });

/** What a connector that only warns or observes would have said of a session. */
export const shadowOutcomeSchema: z.ZodType<ShadowOutcome> = z
  .object({
    connector: z.string(),
    mode: z.enum(['warn', 'observe']),
    isMet: z
      .boolean()
      .nullable()
      .meta({ description: "null where nothing was examined for the connector's anchors" }),
    reason: z.string(),
  })
  .meta({ id: 'ShadowOutcome' });

/** What a connector that only warns or observes would demand. */
const shadowDemand: z.ZodType<ShadowDemand> = z.object({
  connector: z.string(),
  mode: z.enum(['warn', 'observe']),
  requirement,
});

/** Where mail for a recipient goes. */
export const outboundDecisionSchema: z.ZodType<OutboundDecision> = z
  .object({
    formatVersion: z.literal(1),
    policyRevision: z.string(),
    organization: z.string(),
    recipientDomain: z.string(),
    considered: z.array(consideredSchema),
    connector: z.string().nullable(),
    destination: z.union([
      route,
      z.object({ kind: z.literal('mailbox') }),
      z.object({ kind: z.literal('hand-over'), target: deliveryTarget }),
      z.object({ kind: z.literal('organization'), organization: z.string() }),
      z.object({ kind: z.literal('none'), reason: z.string(), isPermanent: z.boolean() }),
    ]),
    requirement,
    shadow: z.array(shadowDemand),
    anchors: z.string(),
    clientCertificate: z.string().nullable(),
    clearTextAfterFailedTls: z.boolean(),
    postQuantum: z.enum(['off', 'prefer', 'require']),
    cloudServicesMailEnabled: z.boolean(),
    originatorOrg: z.string().nullable(),
  })
  .meta({ id: 'OutboundDecision' });

/** What one certificate says of itself. */
export const certificateFacts = z.object({
  fingerprint256: z.string(),
  spki256: z.string(),
  subject: z.string(),
  issuer: z.string(),
  serialNumber: z.string(),
  notBefore: z.string(),
  notAfter: z.string(),
  dnsNames: z.array(z.string()),
  commonName: z.string().nullable(),
  isSelfSigned: z.boolean(),
}) satisfies z.ZodType<CertificateFacts>;

const pathProblems = [
  'no-certificate',
  'self-signed',
  'untrusted-root',
  'expired',
  'not-yet-valid',
  'wrong-purpose',
  'weak-signature',
  'weak-key',
  'not-a-ca',
  'path-too-long',
  'name-constraint',
  'unknown-critical-extension',
  'bad-signature',
  'malformed',
  'limit-exceeded',
  'anchors-unavailable',
] as const;

const pathResult: z.ZodType<PathResult> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('reached'),
    anchors: z.string(),
    purpose,
    anchorFingerprint256: z.string(),
    notBefore: z.string(),
    notAfter: z.string(),
  }),
  z.object({
    kind: z.literal('not-reached'),
    anchors: z.string(),
    purpose,
    problem: z.enum(pathProblems),
    detail: z.string(),
  }),
]);

const tlsEvidence: z.ZodType<TlsEvidence> = z.object({
  protocol: z.string(),
  cipher: z.string(),
  cipherStandardName: z.string(),
  group: z.string().nullable(),
  mode: z.enum(['starttls', 'implicit']),
  sni: z.string().nullable(),
  chain: z.array(certificateFacts),
  isCertificateRequested: mayBeAbsent(z.literal(false)),
  paths: z.array(pathResult),
  openssl: z.object({ anchors: z.string(), result: z.string() }).nullable(),
  revocation: z.literal('not-checked'),
  ownCertificate: z.string().nullable(),
  resumedFrom: z.string().nullable(),
});

/** What was seen, or for `explain` supposed, of one connection's TLS. */
export const evidenceSchema: z.ZodType<Evidence> = z
  .object({
    formatVersion: z.literal(1),
    connectionId: z.string(),
    observedAt: z.string(),
    role: z.enum(['client', 'server']),
    peer: z.object({ address: z.string(), port: z.int(), hostName: z.string().nullable() }),
    encryption: z.enum(['not-offered', 'not-used', 'refused', 'failed', 'established', 'internal']),
    fromOrganization: mayBeAbsent(z.string()),
    failure: z.object({ code: z.string(), text: z.string() }).nullable(),
    tls: tlsEvidence.nullable(),
  })
  .meta({ id: 'Evidence' });
