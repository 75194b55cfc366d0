/**
 * Why a validation fails, as words for programs, each with the mend for a tired administrator. Pure.
 *
 * The texts in quotes are what Exchange shows for the same cause, for people who search for them.
 * @see Validate-OutboundConnector; KB 3179588
 */

/** Stable words; each has its mend in `mends`. */
export type ValidationCause = keyof typeof mends;

/** A sentence each, with its full stop. */
export const mends = {
  'connector-off':
    'Turn the connector on, or validate a draft of it with enabled: true before you do.',
  'recipient-not-covered':
    "Test with an address in the connector's recipientDomains, or add its domain there.",
  'recipient-stays-inside':
    'Test with an address outside of this gateway: mail for this one never leaves it.',
  'no-test-domain':
    'Name an address to test with (--to), since the connector covers every domain and goes by MX.',
  'address-not-allowed':
    'Give a public address of the partner. For a server of your own the gateway administrator lists its network under network.allow (and its port under network.allowPorts).',
  'no-such-host':
    'Look for a typing error in the host name, and for missing A, AAAA or MX records. DNS changes take until the old records have expired.',
  'dns-failed':
    'Try again in some minutes. If it stays so, the name servers of that domain or our own resolver (dns.servers) do not answer.',
  'null-mx': 'Ask the partner for the right domain: this one says by DNS that it takes no mail.',
  'mail-loop':
    'Correct the MX record or smart host: it leads back to this gateway. Name the server behind it.',
  'no-usable-host': 'Correct the MX records or the smart host; the text says what is wrong.',
  'connection-refused':
    'Nothing listens there. Look at the host and port; ask the partner whether the server runs, and whether its firewall turns us away.',
  'connection-timed-out':
    'Usually a firewall drops the connection: ours for outgoing port 25 (many hosting providers block it), or the one of the partner, who must allow our address. Or the server is down.',
  'connection-failed':
    'The network leads nowhere: look at routes and firewall of this machine, and at the address.',
  'connection-closed':
    'The server, or something between that inspects traffic, cut the connection. Ask the partner what its log says at this time.',
  'greeting-refused':
    'The server turned us away before anything was said: often a block list or a limit on connections. Ask the partner to look for our address.',
  'greeting-missing':
    'Something answers on the port and does not greet as a mail server. Look whether host and port are those of an SMTP server; port 465 speaks TLS from the first byte.',
  'hello-refused':
    'The server did not like our EHLO. Look whether hostName of this gateway is a name that DNS leads to our address.',
  'no-starttls':
    'Typical causes: STARTTLS is not switched on at the server; a firewall with SMTP inspection (as Cisco "fixup" or "ESMTP inspect") hides it; it is a wrong host. Ask the partner to offer STARTTLS with a certificate. Until then mail through this connector waits.',
  'starttls-refused':
    'The server offers STARTTLS and then refuses it: mostly its certificate or key cannot be read. Ask the partner to look into its log.',
  'tls-demanded':
    'The server demands TLS and does not offer it on this connection: something between hides STARTTLS.',
  'handshake-failed':
    'No common TLS: the server may know only old versions (below 1.2) or suites without forward secrecy, or something between breaks the handshake. `postern tls probe` shows which versions it takes.',
  'version-too-old':
    'The server speaks an older TLS than the connector demands (minVersion). Ask the partner for a newer one.',
  'group-mismatch':
    'The server does not know the demanded post-quantum key exchange. Set postQuantum to prefer, or ask the partner.',
  'client-certificate-refused':
    'The server wants a certificate from us, or does not trust ours. Set clientCertificate on the connector, or ask the partner to accept it.',
  'client-certificate-missing':
    'Configure the certificate that clientCertificate names, or name another one.',
  'no-certificate': 'The server showed no certificate. Ask the partner to install one.',
  'untrusted-root':
    'The certificate comes from no CA that the connector trusts, is self-signed, or the server does not send its intermediate certificates. Ask the partner to send the whole chain; or name its private CA under anchors, or pin its key (tlsSettings: Pinned).',
  expired: 'Ask the partner to renew its certificate. If only we see it, look at our own clock.',
  'not-yet-valid':
    "The certificate is valid only later. Look at our own clock, then at the partner's certificate.",
  'name-mismatch':
    'The certificate carries none of the names that the connector demands. Set tlsDomain to a name on it, if that is the name of the partner; else you may be talking to somebody else.',
  'pin-mismatch':
    'The server has another key than the pinned ones. Ask the partner on another way whether it has a new key, and only then add it to pins.',
  'certificate-invalid':
    'The certificate or its chain breaks a rule that the text names. Ask the partner for a correct one.',
  'anchors-unavailable':
    'The file that anchors names cannot be read or holds no CA certificate. Correct it; until then mail waits.',
  'broken-policy':
    'No server can meet this: the connector, or another one whose demands hold too, contradicts itself as the text says.',
  'sender-refused':
    'The server refused the sender of the test. Some block the null reverse-path or unknown senders: choose others with --reverse-path and --from.',
  'recipient-refused':
    'Look for a typing error in the test address. If it exists, ask the partner why its server does not take mail for it from us.',
  'recipient-deferred':
    'The server wants us to come again later: greylisting, a limit, or trouble at its side. Validate again in some minutes.',
  'message-refused':
    'The server took the address and refused the message: often a spam filter. Ask the partner, or choose another subject and sender for the test.',
  'message-deferred':
    'The server took the address and put the message off. Validate again in some minutes.',
  'took-too-long':
    'The run was cut at its time limit. Validate again; servers that answer this slowly delay mail too.',
  'gateway-trouble': 'Look into the log of this gateway, then validate again.',
} as const;

/** What Exchange shows; null where it has no text of its own that is known. */
export function exchangeTextOf(cause: ValidationCause): string | null {
  return exchangeTexts[cause] ?? null;
}

const exchangeTexts: Readonly<Partial<Record<ValidationCause, string>>> = {
  'connector-off': 'The domain of the recipient is not configured as part of connector',
  'recipient-not-covered': 'The test email was routed out from O365 without using any connector',
  'dns-failed': '450 4.4.312 DNS query failed',
  'no-such-host': '450 4.4.312 DNS query failed',
  'connection-timed-out': '450 4.4.315 Connection timed out',
  'connection-refused': '450 4.4.316 Connection refused [Message=Socket error code 10061]',
  'no-starttls': '450 4.4.317 Cannot connect to remote server',
  'untrusted-root': '450 4.4.317 Cannot connect to remote server [Message=UntrustedRoot]',
  'name-mismatch': '450 4.4.317 Cannot connect to remote server [Message=SubjectMismatch]',
  'connection-closed': '450 4.4.318 Connection was closed abruptly',
  expired: '450 4.7.320 Certificate validation failed',
};
