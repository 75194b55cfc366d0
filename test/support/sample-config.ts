/** Small configurations for the tests of `cli`. */

export function minimalConfig(dataFolder = './data'): string {
  return `hostName: gateway.example.test
dataFolder: ${dataFolder}
listeners:
  - { name: mx, host: 127.0.0.1, port: 2525, kind: mx }
certificates:
  own: { certificate: own.pem, key: own.key }
serverCertificates: own
organizations:
  - id: example
    acceptedDomains:
      - domain: example.test
    mailboxes:
      - { account: user, addresses: user@example.test }
`;
}

/** Connectors of every grade. */
export function partnerConfig(): string {
  return `${minimalConfig()}    outboundConnectors:
      - { name: to contoso, recipientDomains: contoso.com, tlsSettings: DomainValidation }
      - { name: to fabrikam, recipientDomains: fabrikam.com, tlsSettings: EncryptionOnly }
      - { name: to adatum, recipientDomains: adatum.com, tlsSettings: CertificateValidation }
    inboundConnectors:
      - name: from contoso
        senderDomains: contoso.com
        restrictDomainsToCertificate: true
        tlsSenderCertificateName: mail.contoso.com
      - { name: from fabrikam, senderDomains: fabrikam.com }
`;
}
