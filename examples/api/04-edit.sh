#!/usr/bin/env bash
# One connector is edited, by two people at once, turned off and on, duplicated and deleted.
. "$(dirname "$0")/gateway.sh"
connector="$of/outbound-connectors/to-bank"

# Both read it, and both change what they read: the second is told, and nothing is lost.
etag=$(ask GET "$connector" | jq -r .etag)
ask PATCH "$connector" --header "If-Match: $etag" --json '{ "owner": "mail team", "comment": "since 2026" }' |
  jq -c '.differences[].keys'
refused 412 PATCH "$connector" --header "If-Match: $etag" --json '{ "owner": "the other one" }'
ask GET "$connector" | jq -r '.value.owner'

# null takes a key away. Off and on again; while it is off its demands are gone, which wants a reason.
ask PATCH "$connector" --json '{ "comment": null }' | jq -c '.differences[].keys'
refused 409 PATCH "$connector" --json '{ "enabled": false }'
ask PATCH "$connector?reason=the+bank+moves" --json '{ "enabled": false }' | jq -r '.weaker[]'
ask PATCH "$connector" --json '{ "enabled": true }' | jq -r .kind
ask GET "$of/inbound-connectors/from-bank" | jq -c .value
ask PATCH "$of/inbound-connectors/from-bank" --json '{ "reviewDate": "2099-01-31" }' | jq -r .kind

# A duplicate is the same value under another name.
ask GET "$connector" | jq '.value | del(.name, .validationRecipients) | .recipientDomains = "branch.example"' |
  ask PUT "$of/outbound-connectors/to-branch" --header 'If-None-Match: *' --json @- | jq -c '.object.value'

# What something else needs is not deleted, and dryRun asks first. So for a connector: what it demanded
# is demanded no more.
refused 409 DELETE /v1/certificates/to-partners
ask DELETE "$of/outbound-connectors/to-branch?dryRun=true&reason=try" | jq -r '.kind, .weaker[]'
ask DELETE "$of/outbound-connectors/to-branch?reason=never+needed" | jq -r .kind
refused 404 GET "$of/outbound-connectors/to-branch"
