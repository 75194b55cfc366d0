/** Carries out an order on a policy object: the one way for both spellings. */
import { canonicalName } from '../../config/policy-object.ts';
import type { ConfigProblem } from '../../config/problem.ts';
import { Failure } from '../../mail/failure.ts';
import { explainRefusal } from '../explain-refusal.ts';
import { checkValue } from './check-value.ts';
import { completeFields } from './complete-fields.ts';
import type { Naming } from './compose-value.ts';
import { composeValue } from './compose-value.ts';
import { describeFinding } from './describe-finding.ts';
import { findObject, findOrganization } from './find-object.ts';
import type { CreateOrder, ObjectOrder, RemoveOrder, SetOrder } from './object-order.ts';
import { policyKinds } from './policy-kind.ts';
import type {
  ChangeAnswer,
  ObjectChange,
  ObjectPlace,
  ObjectValue,
  PolicyObjectsClient,
} from './policy-objects-client.ts';
import { renameObject } from './rename-object.ts';
import type { Spelling } from './spelling.ts';

/**
 * What would be, or was done. `before` and `after` null where there is no such object then;
 * `notes` say what was added to what the person wrote, and what the gateway warns of.
 */
export interface Done {
  readonly place: ObjectPlace;
  readonly before: ObjectValue | null;
  readonly after: ObjectValue | null;
  /** Its new place among the others, where that was asked for. */
  readonly position: number | null;
  readonly notes: readonly string[];
  readonly answer: ChangeAnswer;
}

/** Asks the person, and throws where the answer is no. Not called for what only would be done. */
export type Confirm = (question: string) => Promise<void>;

export async function carryOut(
  client: PolicyObjectsClient,
  order: ObjectOrder,
  spelling: Spelling,
  confirm: Confirm,
): Promise<Done> {
  const naming: Naming = { kind: policyKinds[order.kind], spelling };
  const organization = await findOrganization(client, order.organization, naming);
  const planned =
    order.action === 'create'
      ? await planCreate(client, order, organization, naming)
      : await planChange(client, order, organization, naming);
  if (order.mustConfirm && !order.dryRun) await confirm(questionOf(order, planned.place, naming));
  const { dryRun, reason } = order;
  const describe = (found: ConfigProblem): string => describeFinding(found, planned.place, naming);
  try {
    const answer = await send(client, planned.changes, { dryRun, reason });
    const warned = answer.warnings.map(describe);
    return { ...planned, notes: [...planned.notes, ...warned], answer };
  } catch (error) {
    throw explainRefusal(error, { reason: spelling.reason, describe });
  }
}

type Planned = Omit<Done, 'answer'> & { readonly changes: readonly ObjectChange[] };

/** What changes nothing is not sent: it makes no revision. */
async function send(
  client: PolicyObjectsClient,
  changes: readonly ObjectChange[],
  options: { readonly dryRun: boolean; readonly reason: string | null },
): Promise<ChangeAnswer> {
  if (changes.length === 0) return { revision: null, weaker: [], warnings: [] };
  return client.change(changes, options);
}

async function planCreate(
  client: PolicyObjectsClient,
  order: CreateOrder,
  organization: string,
  naming: Naming,
): Promise<Planned> {
  const { fields, notes } = completeFields({}, order.fields, naming);
  const { value } = composeValue({}, fields, naming);
  checkValue(value, naming);
  const name = canonicalName(order.kind, String(value[naming.kind.nameKey]));
  const place = { kind: order.kind, organization, name };
  const { position } = order;
  if (position !== null) {
    const { length } = await client.listObjects(order.kind, organization);
    checkPosition(position, length);
  }
  const at = position === null ? {} : { position };
  const changes: ObjectChange[] = [{ action: 'put', place, value, isNew: true, ...at }];
  return { place, before: null, after: value, position, notes, changes };
}

async function planChange(
  client: PolicyObjectsClient,
  order: SetOrder | RemoveOrder,
  organization: string,
  naming: Naming,
): Promise<Planned> {
  const objects = await client.listObjects(order.kind, organization);
  const object = findObject(objects, order.identity, naming);
  const { value: before, etag } = object;
  const place = { kind: order.kind, organization, name: object.name };
  if (order.action === 'remove') {
    const changes: ObjectChange[] = [{ action: 'delete', place, etag }];
    return { place, before, after: null, position: null, notes: [], changes };
  }
  const { fields, notes } = completeFields(before, order.fields, naming);
  const { value, patch } = composeValue(before, fields, naming);
  checkValue(value, naming);
  const now = objects.indexOf(object);
  const position = order.position === now ? null : order.position;
  if (position !== null) checkPosition(position, objects.length - 1);
  const about = { place, before, after: value, position, notes };
  if (Object.hasOwn(patch, naming.kind.nameKey)) {
    const name = String(value[naming.kind.nameKey]);
    return { ...about, changes: await renameObject(client, object, { name, value, position }) };
  }
  if (Object.keys(patch).length === 0 && position === null) return { ...about, changes: [] };
  const at = position === null ? {} : { position };
  return { ...about, changes: [{ action: 'patch', place, patch, etag, ...at }] };
}

function checkPosition(wanted: number, last: number): void {
  if (wanted <= last) return;
  throw new Failure(
    'option-wrong',
    `the last place is ${last} here, counted from 0, not ${wanted}`,
  );
}

function questionOf(order: ObjectOrder, { name }: ObjectPlace, { kind }: Naming): string {
  const verb = { create: 'Create', set: 'Change', remove: 'Remove' }[order.action];
  return `${verb} the ${kind.words} ${name}?`;
}
