#!/usr/bin/env bash
# Everything is taken away again, each thing before what it needs; and ada signs out.
#   14-take-down.sh < password
. "$(dirname "$0")/gateway.sh"
because='reason=end+of+the+example'

refused 409 DELETE "$of/mailboxes/ann"
ask PATCH "$of" --json '{ "rehearsalAddress": null }' | jq -r .kind
for object in rules/confidential rules/no-programs aliases/sales@$DOMAIN delivery-targets/exchange mailboxes/ann \
  inbound-connectors/from-bank outbound-connectors/to-bank accepted-domains/$DOMAIN; do
  ask DELETE "$of/$object?$because" | jq -r '.differences[] | "\(.kind) \(.object.name)"'
done
# An organization with everything that is left in it.
refused 409 DELETE "$of?$because"
ask DELETE "$of?$because&withContents=true" | jq -r '.differences[] | "\(.kind) \(.object.kind) \(.object.name)"'
ask DELETE "/v1/certificates/to-partners?$because" | jq -r .kind

# Ada's own: a recovery code is as good as the authenticator.
by_cookie
read -r -s PASSWORD
export PASSWORD CODE NEW="$PASSWORD, and more"
ask DELETE "/v1/account/tokens/$(ask GET /v1/account/tokens | jq -r '.tokens[0].id')"
jq -n '{ current: env.PASSWORD, password: env.NEW }' | ask PUT /v1/account/password --json @-
sign_in() {
  CODE=$1 jq -n '{ name: "ada", password: env.NEW, code: env.CODE }' | ask POST /v1/sign-in --json @- | jq -r .name
}
mapfile -t codes <"$FOLDER/recovery-codes"
sign_in "${codes[0]}"
CODE=${codes[1]} jq -n '{ password: env.NEW, code: env.CODE }' |
  ask POST /v1/account/authenticator/remove --json @-
jq -n '{ name: "ada", password: env.NEW }' | ask POST /v1/sign-in --json @- | jq -r .hasSecondFactor
ask POST /v1/sign-out
refused 401 GET /v1/session
