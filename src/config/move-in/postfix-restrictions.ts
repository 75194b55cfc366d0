/** Postfix's lists of restrictions, word by word. @see SMTPD_ACCESS_README */
import { splitWords } from './postfix-lines.ts';
import type { MoveOutcome } from './move-report.ts';

/** What is said of a parameter. */
export interface Said {
  readonly outcome: MoveOutcome;
  readonly text: string;
  /** What the source protects by it and nothing here does. */
  readonly unprotected?: string;
}

/** What is so here without being said, or is told of elsewhere. */
const known = new Set([
  'permit',
  'permit_mynetworks',
  'permit_sasl_authenticated',
  'permit_auth_destination',
  'permit_tls_clientcerts',
  'permit_tls_all_clientcerts',
  'reject',
  'reject_unauth_destination',
  'defer_unauth_destination',
  'reject_unauth_pipelining',
  'reject_non_fqdn_recipient',
  'reject_non_fqdn_sender',
  'reject_unlisted_recipient',
  'reject_unverified_recipient',
  'reject_unknown_recipient_domain',
  'reject_authenticated_sender_login_mismatch',
  'reject_sender_login_mismatch',
  'reject_multi_recipient_bounce',
]);

export function sayRestrictions(value: string): Said {
  const words = splitWords(value);
  const others: string[] = [];
  for (let place = 0; place < words.length; place++) {
    const word = words[place]!;
    if (word === 'check_ccert_access') place++;
    else if (/^(?:check_|reject_rbl|reject_rhsbl|permit_dnswl|permit_rhswl|sleep)/.test(word)) {
      others.push([word, words[place + 1] ?? ''].join(' ').trim());
      place++;
    } else if (!known.has(word)) others.push(word);
  }
  if (others.includes('reject_plaintext_session')) {
    return {
      outcome: 'not-possible',
      text: 'reject_plaintext_session: write an inbound connector with senderDomains "*" and requireTls: true',
      unprotected: 'mail from clients that reject_plaintext_session concerns',
    };
  }
  if (others.length > 0) {
    const text = `not done here: ${others.join(', ')}`;
    return { outcome: 'not-possible', text };
  }
  return { outcome: 'taken-over', text: 'nobody relays but who signs in and own servers' };
}
