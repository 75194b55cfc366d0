#!/usr/bin/env bash
# An organization with its domain, which is proven by DNS, a mailbox and the rest that mail needs.
. "$(dirname "$0")/gateway.sh"

# If-None-Match: * makes it, and never overwrites one that is there.
new=(--header 'If-None-Match: *')
ask PUT "$of" "${new[@]}" --json '{ "name": "Contoso Ltd." }' | jq -r '"revision \(.revision)"'
ask PUT "$of/accepted-domains/$DOMAIN" "${new[@]}" --json '{ "type": "Authoritative" }' | jq -r .kind

echo 'Publish this in DNS:'
ask GET /v1/domains |
  jq -r --arg domain "$DOMAIN" '.domains[] | select(.domain == $domain).record | "\(.name) \(.type) \"\(.text)\""'
PATIENCE=3600 wait_for '.state == "proven"' POST "/v1/domains/$DOMAIN/verify"
echo "$DOMAIN is proven."

# Mail is kept here, or by a server of your own: a delivery target.
ask PUT "$of/mailboxes/ann" "${new[@]}" --json @- <<JSON | jq -r .kind
{ "addresses": ["ann@$DOMAIN"] }
JSON
ask PUT "$of/aliases/sales@$DOMAIN" "${new[@]}" --json @- <<JSON | jq -r .kind
{ "to": "ann@$DOMAIN" }
JSON
ask PUT "$of/delivery-targets/exchange" "${new[@]}" --json @- <<JSON | jq -r .kind
{
  "protocol": "smtp", "address": "192.0.2.25",
  "tlsSettings": "DomainValidation", "tlsDomain": "exchange.$DOMAIN"
}
JSON
# What it would be to send all others there; dryRun changes nothing.
ask PATCH "$of/accepted-domains/$DOMAIN?dryRun=true" --json '{ "deliveryTarget": "exchange" }' |
  jq -c '.differences[] | { object, keys }'

# A partner tries its servers by writing to this address; the gateway answers with its verdict.
ask PATCH "$of" --json @- <<JSON | jq -r .kind
{ "rehearsalAddress": "rehearsal@$DOMAIN" }
JSON

# Each is changed by itself: what is named changes, and null takes away. And read, as in a file.
ask PATCH "$of/mailboxes/ann" --json @- <<JSON | jq -r .kind
{ "addresses": ["ann@$DOMAIN", "a.lee@$DOMAIN"] }
JSON
ask PATCH "$of/aliases/sales@$DOMAIN" --json @- <<JSON | jq -r .kind
{ "to": ["a.lee@$DOMAIN"] }
JSON
ask PATCH "$of/delivery-targets/exchange" --json '{ "minVersion": "TLSv1.3" }' | jq -r .kind
for object in "accepted-domains/$DOMAIN" mailboxes/ann "aliases/sales@$DOMAIN" delivery-targets/exchange; do
  ask GET "$of/$object" | jq -c '.value'
done
