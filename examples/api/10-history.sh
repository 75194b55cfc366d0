#!/usr/bin/env bash
# What was changed, by whom and why; what is different; and the way back.
. "$(dirname "$0")/gateway.sh"
connector="$of/outbound-connectors/to-bank"
before=$(ask GET '/v1/revisions?limit=1' | jq '.revisions[0].revision')

# Less than before is asked for: refused without a reason.
refused 409 PATCH "$connector" --json '{ "tlsSettings": "EncryptionOnly", "tlsDomain": null, "anchors": null }'
ask PATCH "$connector?reason=their+certificate+ran+out" --json '{
    "tlsSettings": "EncryptionOnly", "tlsDomain": null, "anchors": null
  }' | jq -r '.weaker[]'

ask GET '/v1/revisions?limit=3' | jq -r '.revisions[] | "\(.revision) \(.at) \(.by), \(.origin): \(.reason)"'
now=$(ask GET '/v1/revisions?limit=1' | jq '.revisions[0].revision')
ask GET "/v1/revisions/$now" | jq -c '.differences[]'
ask GET "/v1/diff?from=$before&to=$now" | jq -c '.differences[].keys[]'
# The history of one connector, with what it was before and after.
ask GET "/v1/audit?kind=outbound-connector&name=to-bank&organization=$ORGANIZATION" |
  jq -r '.entries[] | "\(.at) \(.actor.person) \(.action): \(.reason)"'

# Back, for this connector alone; without `objects` the whole policy goes back.
back() {
  jq -n --arg organization "$ORGANIZATION" --argjson dryRun "$1" '{
      $dryRun, objects: [{ kind: "outbound-connector", $organization, name: "to-bank" }]
    }' | ask POST "/v1/revisions/$before/rollback" --json @-
}
back true | jq -c '[.kind, .differences[].keys[].key]'
back false | jq -r '"\(.kind), revision \(.revision)"'
