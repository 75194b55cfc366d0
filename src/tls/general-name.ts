/**
 * GeneralNames: the names of a subject alternative name and the bases of name constraints.
 *
 * @see RFC 5280 §4.2.1.6
 */
import { childrenOf, derTag, MalformedDer, readDer } from './der.ts';
import type { DerElement } from './der.ts';
import { readDistinguishedName } from './distinguished-name.ts';
import type { DistinguishedName } from './distinguished-name.ts';

/**
 * `text` forms hold ASCII as written (an embedded NUL included: who matches must refuse it);
 * `unprocessed` is a form that this house neither matches nor constrains.
 */
export type GeneralName =
  | { readonly form: 'dns' | 'email' | 'uri'; readonly text: string }
  | { readonly form: 'ip'; readonly octets: Buffer }
  | { readonly form: 'directory'; readonly name: DistinguishedName }
  | { readonly form: 'unprocessed'; readonly tag: number };

const textForms: Readonly<Record<number, 'dns' | 'email' | 'uri'>> = {
  0x81: 'email',
  0x82: 'dns',
  0x86: 'uri',
};

/** Throws `MalformedDer`. */
export function readGeneralName(element: DerElement): GeneralName {
  const { tag, value } = element;
  const textForm = textForms[tag];
  if (textForm !== undefined) {
    if (value.some((octet) => octet >= 0x80)) throw new MalformedDer('a name that is not ASCII');
    return { form: textForm, text: value.toString('latin1') };
  }
  if (tag === 0x87) return { form: 'ip', octets: value };
  if (tag === 0xa4) {
    return { form: 'directory', name: readDistinguishedName(readDer(value, derTag.sequence)) };
  }
  if ([0xa0, 0xa3, 0xa5, 0x88].includes(tag)) return { form: 'unprocessed', tag };
  throw new MalformedDer(`tag ${tag} in a general name`);
}

/** `octets` is the extension's value: a SEQUENCE of names, never empty. Throws `MalformedDer`. */
export function readGeneralNames(octets: Buffer): GeneralName[] {
  const names = childrenOf(readDer(octets, derTag.sequence));
  if (names.length === 0) throw new MalformedDer('no names in a subject alternative name');
  return names.map(readGeneralName);
}
