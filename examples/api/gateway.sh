# Read by the other scripts: where the gateway is, and how it is asked. Needs curl 7.82, jq and, for
# the first one, oathtool.
set -euo pipefail
umask 077

: "${GATEWAY:=https://gateway.contoso.com:8443}" # as in api.hostNames and api.port
: "${CA_FILE:=/etc/ssl/certs/ca-certificates.crt}" # whose certificate the gateway is to show
: "${FOLDER:=$HOME/.postern-example}" # the session's cookie and the token; yours alone
: "${ORGANIZATION:=contoso}" "${DOMAIN:=contoso.com}"
# Two partners: the bank's server is in order, the museum's offers no TLS.
: "${BANK_HOST:=mx.bank.example}" "${MUSEUM_HOST:=mx.museum.example}"
: "${BANK_ANCHORS:=bundled}" # or the PEM file of the bank's own CA, where the gateway can read it
mkdir -p "$FOLDER"

of="/v1/organizations/$ORGANIZATION"

# As whom: by a token, or as the person who signed in, by the cookie; a change then says from which
# page it comes.
by_token() { credentials=(--header "@$FOLDER/$1"); }
by_cookie() {
  credentials=(--cookie "$FOLDER/cookies" --cookie-jar "$FOLDER/cookies" --header "Origin: $GATEWAY")
}

# The certificate is verified before anything is sent, and secrets stay off the command line, where
# others would see them.
verified=(--silent --show-error --fail-with-body --cacert "$CA_FILE" --connect-timeout 10)

# request METHOD PATH [OPTIONS OF CURL]
request() {
  curl "${verified[@]}" --max-time 330 "${credentials[@]}" --request "$1" "$GATEWAY$2" "${@:3}"
}

# listen PATH FILE: a stream of events, into the file until the script ends; returns once it is open.
listen() {
  rm -f "$2.header"
  curl "${verified[@]}" "${credentials[@]}" --no-buffer --dump-header "$2.header" "$GATEWAY$1" >"$2" &
  trap "kill $!" EXIT
  heard . "$2.header"
}

# heard PATTERN FILE: waits until the file has it, half a minute at most.
heard() {
  local tries=0
  until grep -q "$1" "$2" 2>/dev/null; do
    if ((++tries > 300)); then echo "in vain for $1 in $2" >&2; return 1; fi
    sleep 0.1
  done
}

# ask …: the answer of a request; where it is refused, why, and the script ends.
ask() {
  local answer
  answer=$(request "$@") || { status=$?; jq . <<<"$answer" >&2 || echo "$answer" >&2; return $status; }
  [ -z "$answer" ] || printf '%s\n' "$answer"
}

# wait_for FILTER METHOD PATH …: asks again and again until jq's filter holds, a minute at most.
wait_for() {
  local answer end=$((SECONDS + ${PATIENCE:-60}))
  while answer=$(ask "${@:2}") && ! jq -e "$1" >/dev/null <<<"$answer"; do
    if ((SECONDS > end)); then echo "in vain for $1" >&2; return 1; fi
    sleep 1
  done
}

# refused STATUS …: a request that the gateway is to refuse with this status; prints its words.
refused() {
  local answer
  answer=$(request "${@:2}" --write-out '\n%{http_code}' 2>/dev/null) || true
  if [ "${answer##*$'\n'}" != "$1" ]; then echo "not refused with $1: $answer" >&2; return 1; fi
  jq -r '"refused, \(.code): \(.detail)"' <<<"${answer%$'\n'*}"
}

by_token token
