#!/usr/bin/env bash
# Connectors are validated, before they are saved and after, step by step as it happens.
. "$(dirname "$0")/gateway.sh"

# An event stream has "data: " before each line of JSON.
watch() { sed -u -n 's/^data: //p' | jq --unbuffered -r "$@"; }
live=(--no-buffer --header 'Accept: text/event-stream')
step='if .kind == "step" then "\(.step) \(.state) in \(.tookMs | round) ms: \(.text)"
  else "\(.result): \(.summary)", (.findings[]? | "\(.cause): \(.mend)") end'

# The draft in the wizard, of a connector that is not there yet. Nothing is changed.
request POST "$of/outbound-connectors/to-gallery/validate" "${live[@]}" --json @- <<JSON | watch "$step"
{
  "draft": {
    "recipientDomains": "gallery.example", "smartHosts": "$MUSEUM_HOST", "tlsSettings": "EncryptionOnly"
  },
  "recipients": ["curator@gallery.example"]
}
JSON
# The draft of a change: observe to enforce, which the museum's server cannot meet either.
ask GET "$of/outbound-connectors/to-museum" |
  jq '{ draft: (.value | .mode = "enforce"), recipients: [] }' |
  ask POST "$of/outbound-connectors/to-museum/validate" --json @- | jq -r '.result, .summary'

# Only a look at the TLS of its hosts, with what each setting would say of it. Nothing is kept.
ask POST "$of/outbound-connectors/to-bank/probe" --json '{}' |
  jq -r '.hosts[] | .host, (.settings[] | "  \(.setting): \(if .isMet then "met" else .reason end)")'

# What is in force, up to the test message to the connector's own recipients.
request POST "$of/outbound-connectors/to-bank/validate" "${live[@]}" --json '{ "subject": "Postern validates" }' |
  watch "$step"
# Up to RCPT only; and without a stream the answer comes at the end.
ask POST "$of/outbound-connectors/to-bank/validate" --json '{
    "recipients": ["clerk@bank.example"], "stopBefore": "data"
  }' | jq -r '.summary, (.hosts[] | "\(.host): \(.text)")'

# What was found is kept, with transcript and certificates.
runs=$(ask GET "$of/outbound-connectors/to-bank/validations")
jq -r '"validated: \(.isValidated), \(.lastValidationTimestamp)"' <<<"$runs"
id=$(jq -r '.runs[-1].id' <<<"$runs")
ask GET "$of/outbound-connectors/to-bank/validations/$id" |
  jq -r '(.transcripts[0].lines[:6][]), "\(.certificates | length) certificates"'

# Saved anyway, and validated by itself every day: when the result changes, an alarm opens.
ask PATCH "$of/outbound-connectors/to-museum" --json '{ "mode": "enforce", "validationEvery": "1d" }' | jq -r .kind
