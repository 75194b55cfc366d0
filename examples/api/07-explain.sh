#!/usr/bin/env bash
# What would happen to a message, and why; nothing is sent.
. "$(dirname "$0")/gateway.sh"

outbound='.outbound | { connector, demands: [.requirement.clauses[].kind] }'
echo 'Out:'
ask POST /v1/explain --json @- <<JSON | jq -c "$outbound"
{
  "from": "ann@$DOMAIN", "to": "clerk@bank.example", "headers": ["Subject: confidential"]
}
JSON
echo 'In, without TLS:'
ask POST /v1/explain --json @- <<JSON | jq -c '.inbound | { kind, reply, considered }'
{
  "from": "clerk@bank.example", "to": "ann@$DOMAIN",
  "clientAddress": "192.0.2.10", "heloName": "mx.bank.example", "encryption": "none"
}
JSON
