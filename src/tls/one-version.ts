/**
 * A client's side that speaks one version of TLS only, to learn which versions a server takes.
 *
 * For `delivery/probe.ts` alone. It speaks versions that mail never may: `policy/tls-verdict.ts`
 * refuses evidence below TLS 1.2 whatever is required, so that no such connection ever carries mail.
 */
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { cipherSuites } from './contexts.ts';
import type { ClientTls } from './contexts.ts';

export const probedVersions = ['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1'] as const;
export type ProbedVersion = (typeof probedVersions)[number];

/** Anchors and own certificates are left out: only the version is asked about. */
export function onlyVersion(tls: ClientTls, version: ProbedVersion): ClientTls {
  let context: SecureContext | null = null;
  return {
    ...tls,
    context: () =>
      (context ??= createSecureContext({
        minVersion: version,
        maxVersion: version,
        // Every suite: what is refused shall be the version, and by the server.
        ciphers: 'ALL:@SECLEVEL=0',
        ca: [],
      })),
  };
}

/** Whether mail may be sent by a connection of this version and suite. */
export function isUsedForMail(version: ProbedVersion, cipher: string): boolean {
  return (version === 'TLSv1.3' || version === 'TLSv1.2') && cipherSuites.includes(cipher);
}
