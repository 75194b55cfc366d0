#!/usr/bin/env bash
# The whole policy as a file: kept, changed, planned, applied.
. "$(dirname "$0")/gateway.sh"

ask GET /v1/policy | jq .policy >"$FOLDER/policy.json"
jq -r '.organizations[] | "\(.id): \(.outboundConnectors | length) outbound connectors"' "$FOLDER/policy.json"

# The file is edited; each of its connectors is put. What is as before changes nothing.
jq --arg id "$ORGANIZATION" '{
    changes: [
      .organizations[] | select(.id == $id).outboundConnectors[] | .owner = "mail team" |
      { kind: "put", object: { kind: "outbound-connector", organization: $id, name: .name }, value: . }
    ],
    reason: "everything has an owner"
  }' "$FOLDER/policy.json" >"$FOLDER/changes.json"
jq '.dryRun = true' "$FOLDER/changes.json" | ask POST /v1/changes --json @- |
  jq -r '.kind, (.differences[] | "\(.kind) \(.object.name): \(.keys[].key)"), .weaker[]'
# What it would have done to the mail of the last day.
jq '{ changes, days: 1 }' "$FOLDER/changes.json" | ask POST /v1/replay --json @- |
  jq -r '"\(.messages) messages, \(.changed) would have gone otherwise, \(.undecidedOnly) undecided"'
ask POST /v1/changes --json "@$FOLDER/changes.json" | jq -r '"\(.kind), revision \(.revision)"'
ask POST /v1/changes --json "@$FOLDER/changes.json" | jq -r .kind

# What stands in the configuration file of the gateway, and nowhere else: listeners, storage, sign-in.
ask GET '/v1/config?defaults=true' | jq -c '{ fileState, keys: (.config | keys) }'
ask POST /v1/config/check --json '{}' | jq -c .
ask POST /v1/config/reload --json '{}' | jq -r '"policy \(.policyRevision), loaded in \(.tookMs) ms"'
