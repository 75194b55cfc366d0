/**
 * The certificates that clients of a scenario show: `certificates.yaml`, by the name in `TLS as NAME`.
 *
 *     right: { names: [mail.contosobank.com] }      of the partner CA, for both purposes, valid
 *     wrong: { names: [a.test], ca: stranger, purpose: server, expired: true }
 *
 * The partner CA lies at `tls/partner-ca.pem` for `anchors: file:tls/partner-ca.pem`; that of the
 * stranger is trusted by nobody.
 */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import {
  clientAuthOnly,
  expired,
  makeCa,
  makeLeaf,
  serverAuthOnly,
} from '../../src/testing/certificates.ts';
import type { TestCertificate } from '../../src/testing/certificates.ts';

interface WrittenCertificate {
  readonly names: readonly string[];
  readonly ca?: keyof typeof cas;
  readonly purpose?: keyof typeof purposes;
  readonly expired?: boolean;
}

const cas = { partner: makeCa('Partner CA'), stranger: makeCa('Stranger CA') };
const purposes = { client: clientAuthOnly, server: serverAuthOnly };

/** For the gateway's files. */
export const partnerCaPem = cas.partner.pem;

/** By the name that the dialogue calls them. */
export type ClientCertificates = ReadonlyMap<string, TestCertificate>;

/** Throws where the scenario has none of that name. */
export function certificateOf(certificates: ClientCertificates, name: string): TestCertificate {
  const certificate = certificates.get(name);
  if (certificate === undefined) throw new Error(`certificates.yaml has no ${name}`);
  return certificate;
}

/** Of a scenario's file; none where there is no file. */
export async function readCertificates(file: string): Promise<ClientCertificates> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  const written = parse(text) as Readonly<Record<string, WrittenCertificate>>;
  return new Map(
    Object.entries(written).map(([name, each]) => [name, makeClientCertificate(each)]),
  );
}

function makeClientCertificate(written: WrittenCertificate): TestCertificate {
  const { names, ca = 'partner', purpose, expired: isExpired = false, ...others } = written;
  const unknown = Object.keys(others);
  if (unknown.length > 0) throw new Error(`certificates.yaml: ${unknown.join()} is no key here`);
  return makeLeaf(cas[ca], names, {
    ...(purpose === undefined ? {} : purposes[purpose]),
    ...(isExpired ? expired : {}),
  });
}
