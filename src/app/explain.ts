/** `explain` with the tools of the other rooms: the same for the running gateway and for a file. */
import { X509Certificate } from 'node:crypto';
import type { ExplainAnswer, ExplainQuestion } from '../api/contract.ts';
import { explainMail } from '../api/explain.ts';
import type { Organizations } from '../api/services.ts';
import { Failure } from '../mail/failure.ts';
import type { Evidence } from '../policy/evidence.ts';
import { wantedInboundPaths } from '../policy/inbound-paths.ts';
import type { Policy } from '../policy/policy.ts';
import { AnchorRegistry } from '../tls/anchors.ts';
import { examineChain } from '../tls/chain.ts';
import { certificateFacts } from '../tls/certificate-facts.ts';
import { PresentedChain } from '../tls/presented-chain.ts';
import { openProvenBook } from './domains/proven-book.ts';
import { readSupposedHeader } from './explain-header.ts';

export function explain(policy: Policy, question: ExplainQuestion): Promise<ExplainAnswer> {
  return explainMail(policy, question, {
    nowMs: Date.now(),
    examineCertificate,
    readHeader: readSupposedHeader,
  });
}

/**
 * For whoever may see these organizations alone. What all others have to do with the answer is not to be
 * told: it is the one that there would be without them, and none where that is another one, as where the
 * session is of another's own server. Throws a Failure `api-not-permitted`.
 */
export async function explainFor(
  policy: Policy,
  question: ExplainQuestion,
  organizations: Organizations,
): Promise<ExplainAnswer> {
  if (organizations === null) return explain(policy, question);
  const own = policy.organizations.filter(({ id }) => organizations.includes(id));
  const apart = await explain({ ...policy, organizations: own }, question);
  const whole = await explain(policy, question);
  if (decisionsOf(whole) === decisionsOf(apart)) return apart;
  const text =
    'the answer depends on another organization of this gateway: ask an administrator of the gateway';
  throw new Failure('api-not-permitted', text, { wireText: text });
}

/** All but the evidence, which is of a moment, and examined for the anchors of whoever is looked at. */
function decisionsOf(answer: ExplainAnswer): string {
  return JSON.stringify(answer, (key, value: unknown) => (key === 'evidence' ? null : value));
}

/** The same for a policy that is not in force, with what was proven of its domains. */
export async function explainOffline(
  policy: Policy,
  question: ExplainQuestion,
  dataFolder: string,
): Promise<ExplainAnswer> {
  const book = await openProvenBook(dataFolder);
  return explain(book.applyTo(policy), question);
}

/** What an inbound TLS 1.3 session would show whose client presents this chain. */
async function examineCertificate(pem: string, policy: Policy): Promise<Evidence> {
  const chain = new PresentedChain(readPem(pem));
  const wanted = wantedInboundPaths(policy);
  const anchors = new AnchorRegistry();
  await anchors.loadAnchors(wanted.map((path) => path.anchors));
  const at = Date.now();
  const paths = wanted.map(({ anchors: name, purpose }) =>
    examineChain(chain, { anchors: name, set: anchors.get(name), purpose, at }),
  );
  return {
    formatVersion: 1,
    connectionId: 'explain',
    observedAt: new Date(at).toISOString(),
    role: 'server',
    peer: { address: '192.0.2.1', port: 0, hostName: null },
    encryption: 'established',
    failure: null,
    tls: {
      protocol: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      cipherStandardName: 'TLS_AES_256_GCM_SHA384',
      group: null,
      mode: 'starttls',
      sni: null,
      chain: chain.certificates.map(certificateFacts),
      paths,
      openssl: null,
      revocation: 'not-checked',
      ownCertificate: null,
      resumedFrom: null,
    },
  };
}

function readPem(pem: string): Buffer[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    if (blocks.length === 0) throw new Error('it holds no CERTIFICATE block');
    return blocks.map((block) => new X509Certificate(block).raw);
  } catch (cause) {
    const text = `the client certificate cannot be read: ${cause instanceof Error ? cause.message : ''}`;
    throw new Failure('api-request-invalid', text, { wireText: text, cause });
  }
}
