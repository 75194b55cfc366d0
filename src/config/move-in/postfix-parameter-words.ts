/** The words for parameters of main.cf that make no object of their own. */
import { show } from '../readers.ts';
import type { Said } from './postfix-restrictions.ts';
import { sayRestrictions } from './postfix-restrictions.ts';
import { excludedInUse } from './postfix-tls-attributes.ts';
import { parseProtocols } from './postfix-tls-policy.ts';

const noPolicy: Said = { outcome: 'left-out', text: 'concerns no policy' };
const here = (text: string): Said => ({ outcome: 'not-possible', text });

/** By the name of a parameter, and its value with its `$name`s put in. */
export function sayOf(name: string, value: string): Said {
  for (const [pattern, say] of speakers) if (pattern.test(name)) return say(value, name);
  return noPolicy;
}

/** The first that matches a name speaks of it. */
const speakers: readonly (readonly [RegExp, (value: string, name: string) => Said])[] = [
  [/^smtpd?_tls_(?:mandatory_)?protocols$|^tls_disable_workarounds$/, sayProtocols],
  [/^smtpd?_tls_(?:mandatory_)?exclude_ciphers$/, sayExclusions],
  [
    /^smtpd?_tls_(?:mandatory_)?ciphers$|^tls_(?:high|medium|low|export|null)_cipherlist$/,
    sayCiphers,
  ],
  [/^smtpd_\w+_restrictions$/, sayRestrictions],
  [/^smtpd_tls_req_ccert$/, sayRequired],
  [/^smtpd_tls_ask_ccert$/, (value) => sayAsked(value)],
  [/^smtpd_tls_auth_only$/, () => taken('sign-in is offered under TLS only')],
  [/^smtpd_tls_received_header$/, () => taken('Received always states version and cipher')],
  [
    /^smtpd_tls_(?:CAfile|CApath|ccert_verifydepth)$/,
    () => left('clients by pin need no CA; write anchors beside tlsSenderCertificateName'),
  ],
  [/^smtpd_tls_fingerprint_digest$/, () => taken('was read for the fingerprints of clients')],
  [
    /^smtp_tls_(?:verify_cert_match|secure_cert_match|fingerprint_digest|fingerprint_cert_match)$/,
    () => taken('was read for the policies that it stands in'),
  ],
  [
    /^smtp_tls_per_site$/,
    () => ({
      ...here('an obsolete table: move its lines to smtp_tls_policy_maps, then import'),
      unprotected: 'mail to sites in smtp_tls_per_site',
    }),
  ],
  [
    /^lmtp_(?:tls_(?:security_level|policy_maps|CAfile)|enforce_tls|use_tls)$/,
    () => changed('is told at the delivery target, where LMTP leads to another machine'),
  ],
  [
    /^lmtp_tls_(?!loglevel|session_cache)/,
    () => here('write what is meant as TLS keys of the delivery target'),
  ],
  [
    /^(?:smtp|lmtp)_tls_wrappermode$/,
    () => changed('TLS from the first byte is spoken on port 465, and STARTTLS on every other'),
  ],
  [
    /^smtp_tls_(?:dane_insecure_mx_policy|force_insecure_host_tlsa_lookup)$/,
    () => here('DANE is not looked up yet'),
  ],
  [/^smtp_tls_servername$/, () => changed('the name that is asked for (SNI) is that of the host')],
  [/^tls_server_sni_maps$/, () => here('name its certificates in serverCertificates')],
  [/^postscreen_(?:tls_security_level|enforce_tls)$/, (value) => sayPostscreenTls(value)],
  [
    /^postscreen_(?:dnsbl_\w+|access_list|greet_\w+|denylist_action|blacklist_action|\w+_enable)$/,
    () => here('clients are not judged by lists and by how they greet here'),
  ],
  [
    /^smtpd_sender_login_maps$/,
    () => changed('an account sends as the addresses of its mailbox only'),
  ],
  [/^(?:smtp_sasl_auth_enable|smtp_sasl_password_maps)$/, saySignIn],
  [
    /^(?:(?:smtp|lmtp)_)?fallback_relay$|^fallback_transport(?:_maps)?$|^luser_relay$/,
    () => here('there is no second way for mail that cannot go the first'),
  ],
  [
    /^sender_dependent_\w+_maps$/,
    () =>
      here(
        'routes do not depend on the sender here: rules with routeMessageOutboundConnector do it',
      ),
  ],
  [
    /^(?:virtual_alias_maps|alias_maps|alias_database|virtual_alias_domains)$/,
    () => here('write its addresses as aliases of the organization'),
  ],
  [
    /^(?:relay_recipient_maps|virtual_mailbox_maps|local_recipient_maps)$/,
    () =>
      changed(
        'who exists is asked of the server that keeps the mailboxes; or write recipients of the domain',
      ),
  ],
  [
    /^(?:canonical_maps|sender_canonical_maps|recipient_canonical_maps|smtp_generic_maps|masquerade_domains|sender_bcc_maps|recipient_bcc_maps|always_bcc|relocated_maps)$/,
    () => here('addresses are not rewritten or added by tables here; rules add recipients'),
  ],
  [
    /^(?:(?:smtp|lmtp|milter)_)?(?:(?:mime_|nested_)?header_checks|body_checks)$/,
    () => here('write mail-flow rules instead (docs/rules.md)'),
  ],
  [
    /^(?:smtpd_milters|smtpd_milter_maps|non_smtpd_milters|content_filter|smtpd_proxy_filter)$/,
    () =>
      here(
        'content is not handed to filters; a rule leads mail out to a service and back (docs/rules.md)',
      ),
  ],
  [/^smtpd_sasl_/, () => left('who signs in is a mailbox with a password')],
  [/^myhostname$/, () => left('hostName of the configuration file says it')],
  [
    /^(?:inet_interfaces|inet_protocols|proxy_interfaces|smtpd_upstream_proxy_protocol|postscreen_upstream_proxy_protocol)$/,
    () => left('listeners of the configuration file say it'),
  ],
  [
    /^(?:message_size_limit|smtpd_recipient_limit|header_size_limit|mailbox_size_limit)$/,
    () => left('limits of the configuration file say it'),
  ],
  [
    /^(?:maximal_queue_lifetime|bounce_queue_lifetime|minimal_backoff_time|maximal_backoff_time|queue_run_delay|delay_warning_time)$/,
    () =>
      left(
        'queue of the configuration file, and expiry and delayNotices of the organization, say it',
      ),
  ],
  [
    /^parent_domain_matches_subdomains$|^tls_append_default_CA$/,
    () => taken('was read where it matters'),
  ],
];

function taken(text: string): Said {
  return { outcome: 'taken-over', text };
}

function left(text: string): Said {
  return { outcome: 'left-out', text };
}

function changed(text: string): Said {
  return { outcome: 'changed', text };
}

function sayProtocols(value: string): Said {
  const { oldest, newest } = parseProtocols(value);
  if (oldest === null || newest === null)
    return here(`${show(value)} leaves no protocol that is known`);
  if (oldest === 'TLSv1.3') {
    return changed(
      'TLS 1.3 is demanded where TLS is forced (minVersion), and 1.2 is the oldest elsewhere',
    );
  }
  return taken('TLS 1.2 and 1.3 are spoken, nothing older');
}

function sayCiphers(value: string): Said {
  return changed(`${show(value)}: always ECDHE with AES-GCM or ChaCha20`);
}

function sayExclusions(value: string): Said {
  const used = excludedInUse(value);
  if (used.length === 0) return taken('none of it is ever used here');
  return here(
    `${used.join(', ')} cannot be excluded here, where ciphers are ECDHE with AES-GCM or ChaCha20`,
  );
}

function sayRequired(value: string): Said {
  if (value.toLowerCase() !== 'yes') return left('no, as here');
  return {
    ...here(
      'no client is refused for a certificate alone: name what a partner must show, by tlsSenderCertificateName or pins of a Partner connector with restrictDomainsToCertificate',
    ),
    unprotected: 'mail from everybody, who had to show a trusted certificate',
  };
}

function sayAsked(value: string): Said {
  return value.toLowerCase() === 'yes'
    ? taken('listeners for other servers ask for a certificate')
    : changed('listeners for other servers ask for a certificate all the same');
}

function sayPostscreenTls(value: string): Said {
  if (!['encrypt', 'yes'].includes(value.toLowerCase())) return left('TLS is always offered here');
  return {
    ...here('write an inbound connector with senderDomains "*" and requireTls: true'),
    unprotected: 'mail from everybody, who had to use TLS with postscreen',
  };
}

function saySignIn(value: string): Said {
  if (value === '' || value.toLowerCase() === 'no') return left('no sign-in, as here');
  return here(
    'smart hosts are not signed in to: ask theirs to know this server by certificate or address',
  );
}
