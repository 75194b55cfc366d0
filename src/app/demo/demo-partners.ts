/** The partners of the demo: one right server, and seven that are wrong in one way each. */
import type { TlsOptions } from 'node:tls';
import {
  chainPem,
  expired,
  makeCa,
  makeIntermediate,
  makeLeaf,
  makeSelfSigned,
} from '../../testing/certificates.ts';
import type { TestCertificate } from '../../testing/certificates.ts';
import { startFakePartner } from '../../testing/fake-partner.ts';
import type { FakePartner, FakePartnerOptions } from '../../testing/fake-partner.ts';

/** `chain` as the partner shows it, leaf first; empty where it speaks no TLS. */
export interface PartnerKind {
  /** Its domain is `<name>.test`. */
  readonly name: string;
  readonly describes: string;
  readonly chain: readonly TestCertificate[];
  readonly tls: TlsOptions;
  /** As server it cuts the connection in place of a reply to the content; as client it goes away within the content. */
  readonly dropsInData: boolean;
}

export interface DemoPartner extends PartnerKind {
  readonly domain: string;
  readonly mxHost: string;
  readonly server: FakePartner;
}

const oldTls: TlsOptions = {
  minVersion: 'TLSv1.1',
  maxVersion: 'TLSv1.1',
  ciphers: 'DEFAULT@SECLEVEL=0',
};

export const demoCa = makeCa('Demo CA');
const intermediate = makeIntermediate(demoCa, 'Demo Intermediate');

export function hostOf(name: string): string {
  return `mx.${name}.test`;
}

function rightChain(name: string): readonly TestCertificate[] {
  return [makeLeaf(intermediate, [hostOf(name)]), intermediate];
}

function kind(
  name: string,
  describes: string,
  chain: readonly TestCertificate[],
  special: Partial<Pick<PartnerKind, 'tls' | 'dropsInData'>> = {},
): PartnerKind {
  return { name, describes, chain, tls: {}, dropsInData: false, ...special };
}

export const partnerKinds: readonly PartnerKind[] = [
  kind('good', 'a right certificate', rightChain('good')),
  kind('no-starttls', 'no TLS at all', []),
  kind('self-signed', 'a certificate signed by itself', [makeSelfSigned([hostOf('self-signed')])]),
  kind('wrong-name', 'a certificate for another name', [
    makeLeaf(intermediate, ['mx.somebody-else.test']),
    intermediate,
  ]),
  kind('expired', 'a certificate that has expired', [
    makeLeaf(intermediate, [hostOf('expired')], expired),
    intermediate,
  ]),
  kind('tls-1.1', 'TLS 1.1 and nothing newer', rightChain('tls-1.1'), { tls: oldTls }),
  kind('no-intermediate', 'a chain without its intermediate', [rightChain('no-intermediate')[0]!]),
  kind('drops', 'a connection that drops in the content', rightChain('drops'), {
    dropsInData: true,
  }),
];

export async function startPartner(partner: PartnerKind): Promise<DemoPartner> {
  const { name, chain, tls, dropsInData } = partner;
  const options: FakePartnerOptions = {
    hostName: hostOf(name),
    ...(chain.length === 0
      ? {}
      : { tls: { cert: chainPem(...chain), key: chain[0]!.keyPem, ...tls } }),
    ...(dropsInData ? { reply: ({ command }) => (command === 'dot' ? 'drop' : null) } : {}),
  };
  const server = await startFakePartner(options);
  return { ...partner, domain: `${name}.test`, mxHost: hostOf(name), server };
}

/** What the partner received in clear besides the greetings; forced mail must not be among it. */
export function clearBytesOf(partner: DemoPartner): string {
  return partner.server.connections.map(({ clear }) => clear.toString('latin1')).join('\n');
}
