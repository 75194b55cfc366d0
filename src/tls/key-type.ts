/** What kind of key a certificate has, for people: `ECDSA P-256`, `RSA 2048`. */
import type { KeyObject } from 'node:crypto';
import { groupName } from './session-group.ts';

/** `unreadable` where OpenSSL does not know the key. */
export function describeKey(key: KeyObject | null): string {
  const { asymmetricKeyType: type = 'unreadable', asymmetricKeyDetails: details } = key ?? {};
  if (type === 'ec') return `ECDSA ${groupName(details?.namedCurve ?? 'curve unknown')}`;
  const isRsa = type === 'rsa' || type === 'rsa-pss';
  return isRsa ? `${type.toUpperCase()} ${details?.modulusLength ?? '?'}` : type;
}
