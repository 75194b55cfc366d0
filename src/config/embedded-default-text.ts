/** The text of the configuration that a first start writes: complete, and readable as an introduction. */

export function embeddedDefaultText(values: {
  readonly account: string;
  readonly passwordHash: string;
  /** The first start was made as root. */
  readonly isRoot: boolean;
}): string {
  return template
    .replaceAll('@user@', () => (values.isRoot ? asRoot : '# user: postern'))
    .replaceAll('@account@', () => values.account)
    .replaceAll('@passwordHash@', () => values.passwordHash);
}

const asRoot = 'user: root # the first start was made as root; name another in production';

const template = `# Postern's configuration: one file, read at start and by "postern config reload".
#
# This one was written at the first start, for trying Postern out on this machine. Edit it, then
# look at what the change means before you put it in force:
#
#   postern config check <this file>
#   postern config reload
#
# Every key, with its default and meaning, is in docs/config.md; complete configurations are in
# examples/. Durations are written 30s, 15m or 1h30m; sizes 50MB or 256KiB. Unknown keys are refused.

# Our own name: in the greeting, in EHLO, in Received. Yours is a name that resolves to this machine.
hostName: postern.example.test

# Queue, mailboxes and trace live here. Relative paths start at the folder of this file.
dataFolder: .

# Needed when started as root: the user to run as once the ports are open.
@user@

# The ports are high ones on loopback, so that anybody can try this without being root.
# In production: mx on port 25, submission on 587 (starttls) and 465 (implicit), host 0.0.0.0 or "::".
listeners:
  - name: mx # other mail servers bring mail for our domains
    host: 127.0.0.1
    port: 2525
    kind: mx
  - name: submission # our own people send mail, after signing in
    host: 127.0.0.1
    port: 2587
    kind: submission
  - name: submissions # the same with TLS from the first byte
    host: 127.0.0.1
    port: 2465
    kind: submission
    tls: implicit

# Our own certificates. These were made by a private CA at the first start (tls/): nobody else trusts
# them. A chain file (leaf first) and its key, by any CA, take their place.
certificates:
  server:
    certificate: tls/server.pem
    key: tls/server.key

# Which of them the listeners present.
serverCertificates: server

# Where mail may be sent to besides public addresses. Loopback is allowed here for trying things out
# with servers on this machine, on any of these ports. REMOVE BOTH IN PRODUCTION: with them, whoever
# controls a domain's DNS can make Postern talk to services on this machine.
network:
  allow: [127.0.0.0/8, "::1"]
  allowPorts: [2525, 1025, 10025]

# How long delivery is tried: the first retry, the longest wait between two, then the message
# returns to its sender. These are the defaults.
queue:
  retryFirst: 15m
  retryMax: 60m
  expiry: 24h

# Whether a TXT record has to show whose a domain is before its mail is taken. All domains here are
# yours; with "txt" somebody else's organization on this gateway cannot claim them.
domainVerification: off

# Whose mail this is: one organization, or several that do not see each other.
organizations:
  - id: example # never changes; names the organization in queue and trace
    name: Example

    # Mail for these domains is taken on mx listeners; unknown recipients are refused.
    acceptedDomains:
      - domain: example.test

    # Mailboxes delivered here (Maildir, under mail/). The account signs in on the submission
    # listeners and may send as any of its addresses. The password was printed once, at the first
    # start; only its hash is kept.
    mailboxes:
      - account: @account@
        addresses: [@account@]
        passwordHash: "@passwordHash@"

    # Without connectors all mail flows: with TLS wherever the other side offers it. A connector
    # forces TLS for a named partner. Forced in both directions takes one of each:
    #
    # outboundConnectors:
    #   - name: To Contoso Bank
    #     recipientDomains: [contosobank.com]
    #     tlsSettings: DomainValidation # TLS, a trusted CA, and this name; or the mail waits
    #     tlsDomain: "*.contosobank.com"
    # inboundConnectors:
    #   - name: From Contoso Bank
    #     senderDomains: [contosobank.com]
    #     requireTls: true
    #     restrictDomainsToCertificate: true
    #     tlsSenderCertificateName: "*.contosobank.com" # on the bank's own client certificate
    inboundConnectors: []
    outboundConnectors: []
`;
