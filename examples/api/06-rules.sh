#!/usr/bin/env bash
# Mail flow rules: made, first only counted, put into order, in force.
. "$(dirname "$0")/gateway.sh"

ask PUT "$of/rules/no-programs" --json '{
    "attachmentExtensionMatchesWords": ["exe", "scr"],
    "rejectMessageReasonText": "Programs are not taken by mail"
  }' | jq -r .kind
ask PUT "$of/rules/confidential" --json '{
    "mode": "Audit", "sentToScope": "NotInOrganization", "subjectContainsWords": ["confidential"],
    "routeMessageOutboundRequireTls": true
  }' | jq -r .kind
# The order in which they act: place counts from 0.
ask PATCH "$of/rules/confidential?place=0" --json '{ "mode": "Enforce" }' | jq -c '.differences[]'
ask GET "$of/rules" | jq -r '.objects[] | "\(.place + 1). \(.name), \(.value.mode // "Enforce")"'
ask GET "$of/rules/confidential" | jq -c '.value'
