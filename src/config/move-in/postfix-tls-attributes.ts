/** Attributes of a TLS policy besides names, and the ciphers and protocols of main.cf. */
import { changed, missed, weaker } from './remark.ts';
import type { Remark } from './remark.ts';
import type { TlsAttribute, TlsLevel } from './postfix-tls-policy.ts';

/** Words of OpenSSL for what is never used here, where ciphers are ECDHE with AES-GCM or ChaCha20. */
const neverUsed =
  /^(?:aNULL|eNULL|NULL|ADH|AECDH|EXP|EXPORT\d*|LOW|MEDIUM|DES|3DES|RC2|RC4|IDEA|SEED|MD5|SHA1?|CAMELLIA\d*|ARIA\d*|kRSA|aDSS|DSS|kDHE?|kEDH|kDHr|kDHd|aDH|DH|DHE|EDH|kECDH[re]?|aECDH|PSK|kPSK|aPSK|SRP|kSRP|aSRP|GOST\w*|KRB5|SSLv2|SSLv3|AES(?:128|256)?-?(?:CCM8?|CBC)?-?SHA\d*|(?:EDH|DES|RC4|RC2|IDEA|EXP|ADH|NULL|SEED|CAMELLIA\w*|PSK|DHE|AES\d+)-[A-Z0-9-]+)$/i;

/** Ciphers of a list that are used here although it excludes them. */
export function excludedInUse(text: string): string[] {
  return text.split(/[\s,:]+/).filter((word) => {
    const parts = word.split('+');
    return word !== '' && !parts.some((part) => neverUsed.test(part));
  });
}

/** Nothing where an attribute is carried over by itself. */
export function remarkOn({ name, value }: TlsAttribute, level: TlsLevel | null): Remark[] {
  switch (name) {
    case 'protocols':
    case 'tafile':
      return name === 'tafile' && level !== 'verify' && level !== 'secure'
        ? [changed(`tafile has no effect with ${level ?? 'this'}`)]
        : [];
    case 'ciphers':
      return remarkOnGrade(value);
    case 'exclude':
      return remarkOnExclusion(value);
    case 'servername':
      return [changed(`servername=${value}: the name that is asked for (SNI) is that of the host`)];
    case 'connection_reuse':
      return [changed('connection_reuse: connections are used again where that is safe')];
    case 'enable_rpk':
      return [changed('enable_rpk: a certificate is wanted, a raw key is not enough')];
    case 'policy_ttl':
    case 'policy_type':
    case 'policy_domain':
    case 'policy_string':
    case 'policy_failure':
    case 'mx_host_pattern':
      return [changed(`${name} is for TLS reports, and says nothing about mail`)];
    default:
      return [weaker(`${name}${value === '' ? '' : `=${value}`} is not known`)];
  }
}

function remarkOnGrade(value: string): Remark[] {
  const grades = ['export', 'low', 'medium', 'high', 'null'];
  if (!grades.includes(value.toLowerCase())) {
    return [weaker(`ciphers=${value} is no grade`)];
  }
  return [
    changed(`ciphers=${value}: always ECDHE with AES-GCM or ChaCha20, which is more than ${value}`),
  ];
}

function remarkOnExclusion(value: string): Remark[] {
  const used = excludedInUse(value);
  if (used.length === 0) {
    return [changed(`exclude=${value}: none of it is ever used here`)];
  }
  const text = `exclude=${used.join(':')} cannot be excluded here, where ciphers are ECDHE with AES-GCM or ChaCha20`;
  // Off, the connector would demand nothing at all, for the sake of ciphers that nobody breaks.
  return [missed(text)];
}
