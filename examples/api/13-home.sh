#!/usr/bin/env bash
# What needs a person now: the gateway, alarms, the queue, connectors that could be; and the audit log.
. "$(dirname "$0")/gateway.sh"

ask GET /v1/status | jq '{ version, hostName, startedAt, warnings, queue }'
ask GET "/v1/alarms?organization=$ORGANIZATION" | jq -r '.alarms[] | "\(.object): \(.text) \(.whatToDo)"'
# Whether recorded mail met what a connector demands, so that observe can become enforce.
ask GET '/v1/readiness?name=to-bank&days=7' |
  jq -r '.results[] | "\(.direction): \(.met) met it, \(.unmet) did not, \(.undecided) undecided"'
ask GET '/v1/suggestions?days=30&minMessages=1&minDays=1' |
  jq -r '.suggestions[] | "\(.domain): \(.messages) messages, always validated: \(.connector.value | tojson)"'
ask GET /v1/organizations | jq -r '.objects[] | "\(.name), since revision \(.revision)"'
ask GET "$of" | jq -c .value
for collection in accepted-domains mailboxes aliases delivery-targets; do
  ask GET "$of/$collection" | jq -r '.objects[] | "\(.kind) \(.name)"'
done

# Who did what, newest first.
ask GET '/v1/audit?action=sign-in&limit=5' | jq -r '.entries[] | "\(.at) \(.actor.person) \(.action)"'
# The whole log for elsewhere, and its chain: each entry has the hash of the one before.
page=0 && : >"$FOLDER/audit.ndjson"
until [ "$page" = null ]; do
  answer=$(ask GET "/v1/audit/chain?after=$page&limit=500")
  jq -r '.links[].json' <<<"$answer" >>"$FOLDER/audit.ndjson"
  page=$(jq -r .next <<<"$answer")
done
# Each previous is the hash, base64url of SHA-256, of the line before.
jq -r .previous "$FOLDER/audit.ndjson" | tail -n +2 >"$FOLDER/said"
while IFS= read -r entry; do
  printf %s "$entry" | openssl dgst -sha256 -binary | base64 | tr '+/' '-_' | tr -d =
done <"$FOLDER/audit.ndjson" >"$FOLDER/hashes"
head -n -1 "$FOLDER/hashes" | cmp - "$FOLDER/said"
echo "The chain of $(wc -l <"$FOLDER/hashes") entries is whole; the newest: $(tail -n 1 "$FOLDER/hashes")"
