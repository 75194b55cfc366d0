/** Postfix's lists of restrictions, word by word. @see SMTPD_ACCESS_README */
import { splitWords } from './postfix-lines.ts';
import type { MainCf } from './postfix-main-cf.ts';
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
  'defer',
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

/** Words that let nobody past who is not permitted before them: for any mail, or for mail to others. */
const refusesAll = new Set(['reject', 'defer']);
const refusesRelay = new Set([
  ...refusesAll,
  'reject_unauth_destination',
  'defer_unauth_destination',
]);

/** Each restriction with its argument: `check_client_access hash:/etc/postfix/access`. */
export function readRestrictions(value: string): string[] {
  const words = splitWords(value);
  const found: string[] = [];
  for (let place = 0; place < words.length; place++) {
    const word = words[place]!;
    const hasArgument = /^(?:check_|reject_rbl|reject_rhsbl|permit_dnswl|permit_rhswl|sleep)/.test(
      word,
    );
    found.push(hasArgument ? [word, words[place + 1] ?? ''].join(' ').trim() : word);
    if (hasArgument) place++;
  }
  return found;
}

/**
 * Whether who meets a restriction may send to the outside. Both lists are asked, and permitting in any
 * other list, or behind a word that refuses, grants nothing.
 */
export function grantsRelay({ parameters }: MainCf, restriction: string): boolean {
  const lists = ['smtpd_relay_restrictions', 'smtpd_recipient_restrictions']
    .map((name) => readRestrictions(parameters.get(name)))
    .filter((list) => list.length > 0)
    .map((list) => {
      const end = list.findIndex((each) => refusesRelay.has(each));
      return { isOpen: end === -1, before: end === -1 ? list : list.slice(0, end) };
    });
  const isNamed = lists.some(({ before }) => before.includes(restriction));
  return isNamed && lists.every(({ isOpen, before }) => isOpen || before.includes(restriction));
}

export function sayRestrictions(value: string, name: string): Said {
  const list = readRestrictions(value);
  const end = list.findIndex((each) => refusesAll.has(each));
  const isClosed = end !== -1 && !list.slice(0, end).includes('permit_auth_destination');
  const others = list.filter((each) => !known.has(each) && !each.startsWith('check_ccert_access'));
  if (isClosed) return sayClosed(name, others);
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

/** Everybody else was refused, even with mail to domains that are accepted. */
function sayClosed(name: string, others: readonly string[]): Said {
  const closed =
    'whoever it does not permit is refused in Postfix, and here mail to accepted domains is taken from everybody: write an inbound connector with senderDomains "*" and restrictDomainsToCertificate or restrictDomainsToIPAddresses, with those who may';
  const rest = others.length === 0 ? '' : `; not done here: ${others.join(', ')}`;
  return {
    outcome: 'not-possible',
    text: `${closed}${rest}`,
    unprotected: `mail from everybody whom ${name} does not permit`,
  };
}
