#!/usr/bin/env bash
# People, their roles and tokens. Only a person may do this, so it goes by the cookie of 01.
. "$(dirname "$0")/gateway.sh"
refused 403 POST /v1/people --json '{ "name": "eve" }'
by_cookie

ask POST /v1/people --json @- <<JSON | jq -c '[.name, .grants]'
{
  "name": "ben@$DOMAIN", "displayName": "Ben",
  "grants": [{ "role": "help-desk", "organization": "$ORGANIZATION" }]
}
JSON
# He chooses his password by this link, once, within a day.
ask POST /v1/invitations --json @- <<JSON | jq -r '"a link until \(.expiresAt)"'
{ "person": "ben@$DOMAIN" }
JSON
ask PATCH "/v1/people/ben@$DOMAIN" --json @- <<JSON | jq -c .grants
{
  "grants": [{ "role": "connector-administrator", "organization": "$ORGANIZATION" }],
  "reason": "he sees to the partners"
}
JSON
ask GET /v1/people | jq -r '.people[] | "\(.name), last signed in \(.lastSignedInAt)"'
ask GET "/v1/people/ben@$DOMAIN" | jq -c '{ hasPassword, hasSecondFactor }'

# A token for a program may do no more than its person; it ends by itself, or by revoking it.
token=$(
  ask POST /v1/tokens --json @- <<JSON
{ "person": "ben@$DOMAIN", "name": "dashboard", "permissions": ["queue.read", "policy.read"], "expiresInDays": 30 }
JSON
)
jq -r '"Authorization: Bearer \(.secret)"' <<<"$token" >"$FOLDER/dashboard"
by_token dashboard
ask GET /v1/queue | jq -c .rows
refused 403 GET /v1/audit
refused 404 GET /v1/organizations/fabrikam # what is another organization's is not there

by_cookie
ask GET "/v1/tokens?person=ben@$DOMAIN" | jq -r '.tokens[] | "\(.name), last used \(.lastUsedAt)"'
ask DELETE "/v1/tokens/$(jq -r .id <<<"$token")"
ask DELETE "/v1/people/ben@$DOMAIN?reason=he+left"
by_token dashboard
refused 401 GET /v1/queue
