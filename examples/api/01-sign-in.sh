#!/usr/bin/env bash
# The first administrator: by the link that the gateway prints at its first start, with a password and
# an authenticator, to a token with which the other scripts ask.
#   01-sign-in.sh 'https://gateway.contoso.com:8443/welcome#psl_…' < password
. "$(dirname "$0")/gateway.sh"
by_cookie
read -r -s -p 'A password, 12 characters at least: ' PASSWORD
export SECRET=${1#*#} PASSWORD CODE=''

ask GET /v1/sign-in | jq -c .
jq -n '{ secret: env.SECRET, name: "ada", password: env.PASSWORD }' |
  ask POST /v1/invitations/accept --json @-
sign_in() {
  jq -n '{ name: "ada", password: env.PASSWORD } + if env.CODE == "" then {} else { code: env.CODE } end' |
    "$@" POST /v1/sign-in --json @-
}
sign_in ask | jq -r '"\(.name) is signed in until \(.expiresAt)"'

# The authenticator: an app reads the QR code of `uri`; here oathtool has the secret.
jq -n '{ password: env.PASSWORD }' | ask POST /v1/account/authenticator --json @- |
  jq -r .secret >"$FOLDER/authenticator"
code() { oathtool --totp --base32 "$@" "@$FOLDER/authenticator"; }
ask POST /v1/account/authenticator/confirm --json "{ \"code\": \"$(code)\" }" |
  jq -r '.recoveryCodes[]' >"$FOLDER/recovery-codes"
sign_in refused 401
# A code is good once; this is the one that the app shows next.
CODE=$(code --now '+30 seconds')
sign_in ask | jq -r '"\(.grants[0].role), second factor: \(.hasSecondFactor)"'

# A token for what follows: whatever she may, but for what only a person may.
ask GET /v1/session | jq '{
    name: "examples", expiresInDays: 1,
    permissions: ([.permissions[].permission] - ["session.read", "account.own", "person.write", "token.write"])
  }' | ask POST /v1/account/tokens --json @- |
  jq -r '"Authorization: Bearer \(.secret)"' >"$FOLDER/token"
ask GET /v1/account/tokens | jq -r '.tokens[] | "token \(.name) until \(.expiresAt)"'

# What can be asked, with every field: this gateway's own openapi.json.
ask GET /v1/openapi.json | jq -r '[.paths[][]] | "\(length) operations, such as \(.[0].operationId): \(.[0].summary)"'
