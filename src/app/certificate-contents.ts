/** What is in a file of certificates: each of them, whether the key fits, who trusts the chain, who presents it. */
import { createPrivateKey } from 'node:crypto';
import type { CertificateView } from '../cli/offline-certificates.ts';
import type { Config } from '../config/config.ts';
import { Failure } from '../mail/failure.ts';
import type { Policy } from '../policy/policy.ts';
import { AnchorRegistry } from '../tls/anchors.ts';
import { certificateFacts } from '../tls/certificate-facts.ts';
import { examineChain } from '../tls/chain.ts';
import type { GivenFile } from '../tls/import-certificate.ts';
import { describeKey } from '../tls/key-type.ts';
import { parseCertificate } from '../tls/parsed-certificate.ts';
import { pemBlocks } from '../tls/pem.ts';
import { PresentedChain } from '../tls/presented-chain.ts';

export type CertificateContents = Pick<
  CertificateView,
  'certificates' | 'keyFits' | 'trustedBy' | 'trustDetail'
>;

/** Who may present certificates. */
export interface CertificateUsers {
  readonly config: Config;
  readonly policy: Policy;
}

/** Of a file that cannot be read. */
export const noContents: CertificateContents = {
  certificates: [],
  keyFits: null,
  trustedBy: null,
  trustDetail: '',
};

/** The roots that others have too. A machine without a store of its own has the bundled ones. */
export async function loadAnchors(): Promise<AnchorRegistry> {
  const anchors = new AnchorRegistry();
  await anchors.loadAnchors(['bundled', 'system']);
  return anchors;
}

/** `key` is the text of a file that may hold one. Throws a Failure `tls-certificate-malformed`. */
export function examinePair(
  { certificate, key }: { readonly certificate: GivenFile; readonly key: string },
  anchors: AnchorRegistry,
): CertificateContents {
  const ders = certificatesIn(certificate);
  return {
    certificates: ders.map((der) => ({
      ...certificateFacts(der),
      keyType: describeKey(parseCertificate(der)?.publicKey() ?? null),
    })),
    keyFits: judgeKey(ders[0]!, key),
    ...judgeTrust(new PresentedChain(ders), anchors),
  };
}

function certificatesIn({ name, bytes }: GivenFile): Buffer[] {
  const ders = pemBlocks(bytes.toString('latin1'))
    .filter(({ label }) => label === 'CERTIFICATE')
    .map(({ der }) => der);
  if (ders.length > 0) return ders;
  if (parseCertificate(bytes) !== null) return [bytes];
  throw new Failure('tls-certificate-malformed', `${name} holds no certificate`);
}

/** Null where there is no key: that is no fault of a certificate. */
function judgeKey(leaf: Buffer, text: string): boolean | null {
  if (!text.includes('PRIVATE KEY-----')) return null;
  try {
    return parseCertificate(leaf)?.x509()?.checkPrivateKey(createPrivateKey(text)) ?? false;
  } catch {
    // A key that cannot be read fits nothing; what OpenSSL says of it is not shown.
    return false;
  }
}

function judgeTrust(
  chain: PresentedChain,
  anchors: AnchorRegistry,
): Pick<CertificateContents, 'trustedBy' | 'trustDetail'> {
  let trustDetail = '';
  for (const name of ['bundled', 'system']) {
    const set = anchors.get(name);
    const path = examineChain(chain, { anchors: name, set, purpose: 'either', at: Date.now() });
    if (path.kind === 'reached') return { trustedBy: name, trustDetail: '' };
    if (trustDetail === '') trustDetail = path.detail;
  }
  return { trustedBy: null, trustDetail };
}

/** Who presents it: `listener mx`, `outbound connector To Contoso`. */
export function usersOf(name: string, { config, policy }: CertificateUsers): string[] {
  const isShared = policy.organizations.length > 1;
  const ownedBy = (id: string): string => (isShared ? ` of ${id}` : '');
  return [
    ...config.listeners
      .filter(({ serverCertificates }) => serverCertificates.includes(name))
      .map((listener) => `listener ${listener.name}`),
    ...(config.api?.serverCertificates.includes(name) === true ? ['the API'] : []),
    ...policy.organizations.flatMap(({ id, outboundConnectors, deliveryTargets }) => [
      ...outboundConnectors
        .filter(({ clientCertificate }) => clientCertificate === name)
        .map((connector) => `outbound connector ${connector.name}${ownedBy(id)}`),
      ...deliveryTargets
        .filter(({ clientCertificate }) => clientCertificate === name)
        .map((target) => `delivery target ${target.name}${ownedBy(id)}`),
    ]),
  ];
}
