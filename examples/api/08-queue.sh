#!/usr/bin/env bash
# Mail that waits: seen, understood, held, released, retried, returned and deleted; live.
. "$(dirname "$0")/gateway.sh"

# Two messages for the museum, whose server offers no TLS.
message() {
  printf 'Subject: %s\r\n\r\nHello.\r\n' "$1" | base64 -w 0 |
    jq -R '{ from: env.FROM, to: ["curator@museum.example"], content: . }' |
    ask POST /v1/messages --json @- | jq -r .id
}
export FROM=ann@$DOMAIN
first=$(message 'Tickets') second=$(message 'More tickets')

# Who watches the page sees each row as it changes.
listen '/v1/queue/events?domain=museum.example' "$FOLDER/queue-events"

wait_for '.rows[0].lastOutcome' GET "/v1/queue?id=$first"
ask GET '/v1/queue?domain=museum.example&connector=to-museum&state=queued' |
  jq -r '.rows[] | "\(.id) since \(.receivedAt), \(.attempts) tried: \(.lastOutcome.reason)"'
ask GET "/v1/queue/$first" | jq -r '.deliveries[] | "from \(.from) to \(.recipients[0]): \(.clauses[0])"'
ask GET "/v1/queue/$first/content" | sed -n 1,3p

# order ACTION ID [DRY RUN]: what it did, or would do.
order() {
  jq -n --arg action "$1" --arg id "$2" --argjson dryRun "${3:-false}" '{ $action, $dryRun, match: { $id } }' |
    ask POST /v1/queue/orders --json @- | jq -c '{ changed, pending, unfit }'
}
order hold "$first" true
order hold "$first"
order release "$first"
order retry "$first"
order expire "$first" # its sender is told that it was not delivered
# Everything that matches, in steps of bounded size: go on with `next` as `after`.
ask POST /v1/queue/orders --json @- <<JSON | jq -c '{ changed, next }'
{ "action": "delete", "match": { "connector": "to-museum", "sender": "ann@$DOMAIN" } }
JSON
wait_for '.rows == []' GET "/v1/queue?id=$second"
heard '^event: gone' "$FOLDER/queue-events"
grep -E '^event: (snapshot|row|gone)' "$FOLDER/queue-events" | sort | uniq -c
