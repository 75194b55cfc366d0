#!/usr/bin/env bash
# Connectors with each of the answers that the wizard asks for: from where, to where, when it is used,
# how mail is routed, what TLS must be. Names and values are Exchange's.
. "$(dirname "$0")/gateway.sh"
: "${CERTIFICATE_FILE:=/etc/postern/contoso.pem}" "${KEY_FILE:=/etc/postern/contoso.key}"

# What we show to partners.
ask PUT /v1/certificates/to-partners --json @- <<JSON | jq -r .kind
{ "certificate": "$CERTIFICATE_FILE", "key": "$KEY_FILE" }
JSON
# Renewed in the same file it is read again by itself; this is for another file.
ask PATCH /v1/certificates/to-partners --json @- <<JSON | jq -r .kind
{ "certificate": "$CERTIFICATE_FILE" }
JSON
ask GET /v1/certificates/to-partners | jq -c .value
# What is in it, how long it is good, who uses it; never the key.
ask GET /v1/certificates/to-partners/contents |
  jq -r '.certificates[0] | "\(.dnsNames | join(", ")) until \(.notAfter)"'
ask GET /v1/certificates | jq -r '.objects[] | "\(.name): \(.value.certificate)"'

# From us to a partner: its domains, through its server (without smartHosts: by its MX), TLS with a
# certificate of a CA that is trusted, for this name.
ask PUT "$of/outbound-connectors/to-bank" --json @- <<JSON | jq -r '.object | "\(.name), revision \(.revision)"'
{
  "connectorType": "Partner", "recipientDomains": ["bank.example", "*.bank.example"],
  "useMXRecord": false, "smartHosts": "$BANK_HOST",
  "tlsSettings": "DomainValidation", "tlsDomain": "mx.bank.example", "anchors": "$BANK_ANCHORS",
  "clientCertificate": "to-partners", "validationRecipients": "postmaster@bank.example"
}
JSON

# From a partner to us: by its domains, over TLS, with a certificate for this name.
ask PUT "$of/inbound-connectors/from-bank" --json @- <<JSON | jq -r '.object.name'
{
  "connectorType": "Partner", "senderDomains": ["bank.example", "*.bank.example"],
  "requireTls": true, "restrictDomainsToCertificate": true,
  "tlsSenderCertificateName": "mx.bank.example", "anchors": "$BANK_ANCHORS"
}
JSON

# Both directions of a partner at once, all or nothing. First only watching: what would be refused is
# let through and written down.
ask POST /v1/changes --json @- <<JSON | jq -r '.differences[] | "\(.kind) \(.object.kind) \(.object.name)"'
{ "changes": [
  { "kind": "put", "expect": "absent",
    "object": { "kind": "outbound-connector", "organization": "$ORGANIZATION", "name": "to-museum" },
    "value": { "recipientDomains": "museum.example", "smartHosts": "$MUSEUM_HOST",
               "tlsSettings": "EncryptionOnly", "mode": "observe" } },
  { "kind": "put", "expect": "absent",
    "object": { "kind": "inbound-connector", "organization": "$ORGANIZATION", "name": "from-museum" },
    "value": { "senderDomains": "museum.example", "requireTls": true, "mode": "observe" } }
] }
JSON

# Our own mail server behind the gateway, known by its address or its certificate: it may send to
# everybody. That is more than before, and what asks for less than before wants a reason.
from_exchange='{ "connectorType": "OnPremises", "senderIPAddresses": "192.0.2.25", "requireTls": true }'
refused 409 PUT "$of/inbound-connectors/from-exchange" --json "$from_exchange"
ask PUT "$of/inbound-connectors/from-exchange?reason=our+own+server" --json "$from_exchange" | jq -r '.weaker[]'
# It gets what is for our domain. dryRun says what that would be, and changes nothing.
ask PUT "$of/outbound-connectors/to-exchange?dryRun=true" --json @- <<JSON | jq -r '.kind, .warnings[].text'
{
  "connectorType": "OnPremises", "allAcceptedDomains": true, "smartHosts": "exchange.$DOMAIN",
  "tlsSettings": "DomainValidation", "tlsDomain": "exchange.$DOMAIN"
}
JSON
# Only for mail that a rule sends there.
ask PUT "$of/outbound-connectors/to-scanner" --json '{
    "connectorType": "Partner", "isTransportRuleScoped": true, "smartHosts": "scan.example.net",
    "tlsSettings": "CertificateValidation", "enabled": false
  }' | jq -r '.object.name'

# The lists of the page; ?name= finds part of a name.
for collection in outbound-connectors inbound-connectors; do
  ask GET "$of/$collection?name=bank" | jq -r '.objects[] | "\(.name): \(.value | tojson)"'
  ask GET "$of/$collection" |
    jq -r '.objects[] | "\(.name): \(.value.mode // "enforce"), on: \(.value.enabled != false), since \(.changedAt)"'
done

# What is wrong is refused with each field that is wrong.
refused 400 PUT "$of/outbound-connectors/to-bank" --json '{ "tlsSetings": "DomainValidation" }'
