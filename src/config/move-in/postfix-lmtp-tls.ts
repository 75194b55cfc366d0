/** What Postfix's LMTP client demands of servers on other machines, as keys of a delivery target. */
import { certificateName } from '../mail-readers.ts';
import { show } from '../readers.ts';
import { nameToWrite } from './name-to-write.ts';
import type { PostfixParameters } from './postfix-expand.ts';

export interface LmtpTls {
  /** Empty: encrypted, as where nothing is written. */
  readonly keys: Readonly<Record<string, unknown>>;
  readonly text: string;
}

const provenLevels = ['verify', 'secure', 'fingerprint', 'dane-only', 'dane', 'half-dane'];

/** `address`: a host with or without a port. A delivery target is never off: mail waits for it. */
export function lmtpTls(address: string, parameters: PostfixParameters): LmtpTls {
  const level = parameters.get('lmtp_tls_security_level').toLowerCase();
  const hasMaps = parameters.get('lmtp_tls_policy_maps') !== '';
  if (!hasMaps && !provenLevels.includes(level) && !parameters.isYes('lmtp_enforce_tls')) {
    return { keys: {}, text: 'to another machine always encrypted' };
  }
  const why = hasMaps ? 'lmtp_tls_policy_maps, which is not read' : `level ${level || 'verify'}`;
  const host = address.replace(/:\d+$/, '');
  const isNamed = 'value' in certificateName().read(host);
  const tlsDomain = isNamed ? host : nameToWrite;
  const anchors = parameters.get('lmtp_tls_CAfile');
  const keys = {
    tlsSettings: 'DomainValidation',
    tlsDomain: [tlsDomain],
    ...(anchors === '' ? {} : { anchors }),
  };
  const text = `tlsSettings: DomainValidation, tlsDomain: ${show(tlsDomain)}, for ${why}: look whether its certificate carries that name, since mail waits until it does`;
  return { keys, text };
}
