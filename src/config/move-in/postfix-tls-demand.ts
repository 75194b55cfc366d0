/**
 * What a TLS policy of Postfix demands, in the words of an outbound connector.
 *
 * Never less than before: where the words differ, the stricter one is taken; where there is none, the
 * connector is off under the strictest that can be said, and that is told.
 */
import type { AnchorsFound } from './postfix-anchors.ts';
import { nameToWrite } from './name-to-write.ts';
import { remarkOn } from './postfix-tls-attributes.ts';
import { changed, weaker } from './remark.ts';
import type { Remark } from './remark.ts';
import type { NamesWanted, NextHop } from './postfix-tls-names.ts';
import { namesFor } from './postfix-tls-names.ts';
import type { TlsPolicy } from './postfix-tls-policy.ts';
import { parseFingerprint, parseProtocols } from './postfix-tls-policy.ts';

export interface TlsDemand {
  /** Keys of an outbound connector about TLS; without those that are as where they are left out. */
  readonly keys: Readonly<Record<string, unknown>>;
  readonly remarks: readonly Remark[];
  /** Whether mail is protected at all by it. */
  readonly isForced: boolean;
}

/** What main.cf says for every policy that does not say otherwise. */
export interface TlsSettings {
  readonly anchors: AnchorsFound;
  /** Of `smtp_tls_verify_cert_match` and `smtp_tls_secure_cert_match`. */
  readonly verifyMatch: readonly string[];
  readonly secureMatch: readonly string[];
  /** Of `smtp_tls_fingerprint_cert_match`. */
  readonly fingerprintMatch: readonly string[];
  readonly mandatoryProtocols: string;
  readonly digest: string;
}

export function demandOf(policy: TlsPolicy, hop: NextHop, settings: TlsSettings): TlsDemand {
  const remarks = policy.attributes.flatMap((attribute) => remarkOn(attribute, policy.level));
  const stated = policy.attributes.find(({ name }) => name === 'protocols')?.value;
  switch (policy.level) {
    case 'none':
      return opportunistic([...remarks, noneIsMay]);
    case 'may':
      return opportunistic(remarks);
    case 'encrypt':
      return forced({ tlsSettings: 'EncryptionOnly' }, stated, { settings, remarks });
    case 'verify':
    case 'secure': {
      const otherwise = policy.level === 'verify' ? settings.verifyMatch : settings.secureMatch;
      const wanted = policy.match.length > 0 ? policy.match : otherwise;
      const names = namesFor(wanted, hop);
      return validated(names, policy, { hop, settings, remarks });
    }
    case 'fingerprint':
      return pinned(policy, stated, { settings, remarks, hop });
    case 'dane':
    case 'half-dane':
    case 'dane-only':
    case null:
      return withheld(policy, stated, { settings, remarks, hop });
  }
}

const noneIsMay = changed(
  'TLS is never switched off here: it is used where the other side offers it',
);

function opportunistic(remarks: readonly Remark[]): TlsDemand {
  // What sharpens a policy that may send in clear protects nothing.
  const mild = remarks.map((remark) => ({ ...remark, isWeaker: false }));
  return { keys: {}, remarks: mild, isForced: false };
}

interface Rest {
  readonly settings: TlsSettings;
  readonly remarks: readonly Remark[];
}

function forced(
  keys: Readonly<Record<string, unknown>>,
  stated: string | undefined,
  { settings, remarks }: Rest,
): TlsDemand {
  const text = stated ?? settings.mandatoryProtocols;
  const { oldest, newest } =
    text === '' ? { oldest: 'TLSv1', newest: 'TLSv1.3' } : parseProtocols(text);
  const found: Remark[] = [...remarks];
  if (oldest === null) found.push(weaker(`no protocol is left of "${text}"`));
  else if (newest !== 'TLSv1.3' && newest !== 'TLSv1.2') {
    found.push(weaker(`"${text}" allows no TLS 1.2 or newer, and nothing older is spoken here`));
  } else if (stated !== undefined && newest === 'TLSv1.2') {
    found.push(changed(`protocols=${text}: TLS 1.3 is used too where the other side has it`));
  }
  const isNew = oldest === 'TLSv1.3';
  return {
    keys: { ...keys, ...(isNew ? { minVersion: 'TLSv1.3' } : {}) },
    remarks: found,
    isForced: true,
  };
}

function validated(
  names: NamesWanted,
  policy: TlsPolicy,
  { hop, settings, remarks }: Rest & { readonly hop: NextHop },
): TlsDemand {
  const anchors = anchorsOf(policy, settings);
  const keys = {
    ...settingsFor(names.names, hop),
    ...(anchors.value === null ? {} : { anchors: anchors.value }),
  };
  const stated = policy.attributes.find(({ name }) => name === 'protocols')?.value;
  const all = [...remarks, ...names.remarks, ...anchors.remarks];
  return forced(keys, stated, { settings, remarks: all });
}

/** Named hosts need a name; where none is known, one that has to be written. */
function settingsFor(
  names: readonly string[] | null,
  { isMx }: NextHop,
): Readonly<Record<string, unknown>> {
  const tlsSettings = 'DomainValidation';
  if (names !== null && names.length > 0) return { tlsSettings, tlsDomain: names };
  return isMx ? { tlsSettings } : { tlsSettings, tlsDomain: [nameToWrite] };
}

function anchorsOf(
  { attributes }: TlsPolicy,
  { anchors }: TlsSettings,
): { readonly value: string | null; readonly remarks: readonly Remark[] } {
  const files = attributes.filter(({ name }) => name === 'tafile').map(({ value }) => value);
  const [first] = files;
  if (first === undefined) return anchors;
  if (files.length === 1) return { value: first, remarks: [] };
  const text = `only the first tafile (${first}) is trusted: put the others into that file`;
  return { value: first, remarks: [changed(text)] };
}

/** Off in every case: the text does not tell whether a hash is of the certificate or of its key. */
function pinned(
  policy: TlsPolicy,
  stated: string | undefined,
  { settings, remarks, hop }: Rest & { readonly hop: NextHop },
): TlsDemand {
  const hashes = (policy.match.length > 0 ? policy.match : settings.fingerprintMatch).map(
    parseFingerprint,
  );
  const isSha256 = settings.digest === 'sha256' && hashes.every((hash) => hash?.length === 32);
  if (hashes.length > 0 && isSha256) {
    const pins = hashes.map((hash) => hash!.toString('base64'));
    const text =
      'Postfix compares the hash with the certificate and with its key, and nothing tells which is meant. A pin is of the key: compare it with what `postern tls probe` shows, then turn the connector on';
    return forced({ tlsSettings: 'Pinned', pins }, stated, {
      settings,
      remarks: [...remarks, weaker(text)],
    });
  }
  const what = hashes.length === 0 ? 'there is no fingerprint' : 'not all are SHA-256';
  const text = `${what}, and a pin is the SHA-256 of the key: take it with \`postern tls probe\`, and write tlsSettings: Pinned`;
  return withheld(policy, stated, { settings, remarks: [...remarks, weaker(text)], hop });
}

/** Cannot be had: the strictest stands in its place, off. */
function withheld(
  { level }: TlsPolicy,
  stated: string | undefined,
  { settings, remarks, hop }: Rest & { readonly hop: NextHop },
): TlsDemand {
  const why = whyWithheld(level);
  const names = namesFor(['nexthop', 'dot-nexthop'], hop);
  const all = why === null ? remarks : [...remarks, weaker(why)];
  return forced(settingsFor(names.names, hop), stated, { settings, remarks: all });
}

function whyWithheld(level: TlsPolicy['level']): string | null {
  if (level === 'fingerprint') return null;
  if (level === null) return 'is no TLS policy; Postfix keeps such mail waiting';
  return `${level}: DANE is not looked up yet. DomainValidation stands in its place: look whether the certificates carry the names, then turn it on`;
}
