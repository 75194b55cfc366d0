/**
 * GeneralNames: the names of a subject alternative name and the bases of name constraints.
 *
 * @see RFC 5280 §4.2.1.6
 */
import { childrenOf, derTag, dottedOid, expectTag, MalformedDer, oidOf, readDer } from './der.ts';
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
  const checkForm = unprocessedForms[tag];
  if (checkForm === undefined) throw new MalformedDer(`tag ${tag} in a general name`);
  checkForm(element);
  return { form: 'unprocessed', tag };
}

/** Nothing is read of these, but a broken one makes the certificate invalid, as for everyone else. */
const unprocessedForms: Readonly<Record<number, (element: DerElement) => unknown>> = {
  0xa0: checkOtherName,
  0xa3: childrenOf,
  0xa5: childrenOf,
  0x88: ({ value }) => dottedOid(value),
};

/** A type and `[0]` around its one value. */
function checkOtherName(element: DerElement): void {
  const [type, explicit, ...rest] = childrenOf(element);
  oidOf(expectTag(type, derTag.objectIdentifier));
  const values = childrenOf(expectTag(explicit, 0xa0));
  if (values.length === 1 && rest.length === 0) return;
  throw new MalformedDer('a broken otherName');
}

/** `octets` is the extension's value: a SEQUENCE of names, never empty. Throws `MalformedDer`. */
export function readGeneralNames(octets: Buffer): GeneralName[] {
  const names = childrenOf(readDer(octets, derTag.sequence));
  if (names.length === 0) throw new MalformedDer('no names in a subject alternative name');
  return names.map(readGeneralName);
}
