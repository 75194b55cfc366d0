#!/usr/bin/env bash
# What became of mail: searched, one message from its arrival to its end, exported, live.
. "$(dirname "$0")/gateway.sh"

listen '/v1/traces/events?to=bank.example' "$FOLDER/trace-events"
id=$(printf 'Subject: confidential\r\n\r\nHello.\r\n' | base64 -w 0 |
  jq -R --arg from "ann@$DOMAIN" '{ from: $from, to: ["clerk@bank.example"], content: . }' |
  ask POST /v1/messages --json @- | jq -r .id)
wait_for "any(.rows[]; .id == \"$id\")" GET '/v1/traces?to=bank.example&status=delivered'

# By sender, recipient, time and end; `next` of the answer goes on as `before`.
ask GET "/v1/traces?from=$DOMAIN&since=$(date -u -d '1 hour ago' +%FT%TZ)&limit=10" |
  jq -r '.rows[] | "\(.at) \(.id) to \(.recipients[0].recipient): \(.recipients[0].state)"'
# One message: each event, and for each attempt the decision and what was seen of TLS.
ask GET "/v1/traces/$id" | jq -r '.events[] | "\(.at) \(.kind)"'
ask GET "/v1/traces/$id" | jq '.events[] | select(.kind == "attempt")' >"$FOLDER/evidence.json"
# The policy that it was decided under, as records name it: which revision was that?
policy=$(ask GET "/v1/traces/$id" | jq -r 'first(.. | .policyRevision? // empty)')
ask GET "/v1/policies/$policy" | jq -c .inForce

# Everything that is kept, page by page, to be read elsewhere.
since="since=$(date -u -d '1 hour ago' +%FT%TZ)" page='' && : >"$FOLDER/records.ndjson"
until [ "$page" = null ]; do
  answer=$(ask GET "/v1/records?$since&limit=100${page:+&after=$page}")
  jq -c '.traces[]' <<<"$answer" >>"$FOLDER/records.ndjson"
  page=$(jq -r .next <<<"$answer")
done
wc -l <"$FOLDER/records.ndjson"
heard '"state":"delivered"' "$FOLDER/trace-events"
sed -n 's/^data: //p' "$FOLDER/trace-events" | jq -r '"told: \(.id), \(.recipients[0].state)"'
