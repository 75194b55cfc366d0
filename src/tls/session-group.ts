/**
 * The key exchange group of a connection as server, which Node tells the client's side only.
 *
 * OpenSSL writes it into the session (SSL_SESSION's element [19], kex_group): the number of the
 * IANA registry "TLS Supported Groups".
 * @see RFC 8446 §4.2.7
 */
import { childrenOf, derTag, MalformedDer, readDer } from './der.ts';

/** Names as our settings write them. */
const groupNames: Readonly<Record<number, string>> = {
  23: 'P-256',
  24: 'P-384',
  25: 'P-521',
  29: 'X25519',
  30: 'X448',
  4587: 'SecP256r1MLKEM768',
  4588: 'X25519MLKEM768',
  4589: 'SecP384r1MLKEM1024',
};

/** OpenSSL's names of the same curves, as the client's side is told. */
const otherNames: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

const kexGroupTag = 0xb3;

/** `session` as `getSession()` gives it; null where it names no group. */
export function readSessionGroup(session: Buffer | undefined): string | null {
  if (session === undefined) return null;
  try {
    const elements = childrenOf(readDer(session, derTag.sequence));
    const wrapped = elements.find((element) => element.tag === kexGroupTag);
    if (wrapped === undefined) return null;
    const { value } = readDer(wrapped.value, derTag.integer);
    if (value.length === 0 || value.length > 3) return null;
    const number = value.readUIntBE(0, value.length);
    return groupNames[number] ?? `group ${number}`;
  } catch (error) {
    if (error instanceof MalformedDer) return null;
    throw error;
  }
}

/** The one name of a group, whichever side told it. */
export function groupName(name: string): string {
  return otherNames[name] ?? name;
}
