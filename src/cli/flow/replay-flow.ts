/** What a planned policy would have done to recorded mail. */
import type { ApiClient } from '../../api/client.ts';
import type { ChangesOrderInput } from '../../api/contract/policy-objects.ts';
import { composePolicy } from '../../config/compose-policy.ts';
import { asIfProven } from '../../config/domain-verification.ts';
import { parseConfig } from '../../config/load.ts';
import { leaveOutSecrets } from '../../config/object-secrets.ts';
import type { ObjectKey, PolicyObject } from '../../config/policy-object.ts';
import { textOfKey } from '../../config/policy-object.ts';
import { splitPolicy } from '../../config/split-policy.ts';
import type { Policy } from '../../policy/policy.ts';
import { replayRecorded } from '../../policy/replay.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import { readRecordedMail } from '../read-recorded-mail.ts';
import { ReplaySummary } from '../../policy/replay-summary.ts';
import { formatReplay } from '../replay-text.ts';

export interface ReplayedFlow {
  readonly text: string;
  readonly json: object;
}

interface Options extends GatewayOptions {
  readonly file?: string;
  readonly days: number;
  readonly json?: boolean;
}

/** Null where the planned policy cannot be judged here. */
export async function replayFlow(
  context: CommandContext,
  client: ApiClient,
  options: Options,
  changes: ChangesOrderInput['changes'],
): Promise<ReplayedFlow | null> {
  const candidate = await composeCandidate(client, changes);
  if (candidate === null) return null;
  const { days, json = false, file = '' } = options;
  const summary = new ReplaySummary();
  const read = await readRecordedMail(
    context,
    options,
    { days, organization: undefined, isQuiet: json },
    (recorded) => summary.add(recorded, replayRecorded(candidate, recorded)),
  );
  const view = summary.view();
  const by = { file, policyRevision: candidate.revision, days };
  return { text: formatReplay(view, read, by, context.width), json: { ...view, days } };
}

/** The configuration in force, with the changes made; domains count as proven. */
async function composeCandidate(
  client: ApiClient,
  changes: ChangesOrderInput['changes'],
): Promise<Policy | null> {
  const { config, file } = await client.readConfig({ defaults: 'false' });
  const objects = new Map(
    splitPolicy(config).map((object) => [textOfKey(object), object] as const),
  );
  for (const change of changes) {
    const object = change.object;
    if (change.kind === 'remove') removeFrom(objects, object);
    else objects.set(textOfKey(object), { ...object, value: change.value });
  }
  const open = [...objects.values()].map((each) => ({
    ...each,
    value: leaveOutSecrets(each.kind, each.value),
  }));
  const { value } = composePolicy(config, open);
  const loaded = parseConfig(JSON.stringify(value), file);
  return loaded.kind === 'loaded' ? asIfProven(loaded.policy) : null;
}

function removeFrom(objects: Map<string, PolicyObject>, key: ObjectKey): void {
  objects.delete(textOfKey(key));
  if (key.kind !== 'organization') return;
  for (const [text, { organization }] of objects)
    if (organization === key.name) objects.delete(text);
}
