/** What the cmdlets for policy objects ask for: from parameters to the order that both spellings make. Pure. */
import type {
  CreateOrder,
  FieldChange,
  FieldChanges,
  LookOrder,
  ObjectOrder,
} from '../policy-objects/object-order.ts';
import type { ObjectField } from '../policy-objects/object-field.ts';
import { fieldsOf } from '../policy-objects/object-field.ts';
import type { PolicyKindName } from '../policy-objects/policy-kind.ts';
import { policyKinds } from '../policy-objects/policy-kind.ts';
import type { ObjectView } from '../policy-objects/policy-objects-client.ts';
import type { Arguments } from './arguments.ts';
import { exchangeNameOf } from './exchange-names.ts';
import { fromExchange, listFromExchange } from './exchange-values.ts';
import { usage } from './parameter.ts';
import type { Verb } from './policy-parameters.ts';
import type { CmdletValue } from './read-value.ts';

/** Of New, Set, Remove, Enable and Disable. */
export function readOrder(
  verb: Exclude<Verb, 'Get'>,
  kind: PolicyKindName,
  given: Arguments,
): ObjectOrder {
  const common = {
    kind,
    organization: given.text('Organization'),
    dryRun: given.flag('WhatIf') ?? false,
    reason: given.text('Reason'),
    // Only what takes something away asks by itself.
    mustConfirm: given.flag('Confirm') ?? verb === 'Remove',
  };
  const position = given.count('Priority');
  if (verb === 'New') {
    return createOrder({ ...common, action: 'create', fields: readFields(kind, given), position });
  }
  const identity = readIdentity(given);
  if (verb === 'Remove') return { ...common, action: 'remove', identity };
  if (verb === 'Set') {
    return { ...common, action: 'set', identity, fields: readFields(kind, given), position };
  }
  const enabled: FieldChange = { kind: 'set', value: verb === 'Enable' };
  const fields = new Map([['enabled', enabled], ...readFields(kind, given)]);
  return { ...common, action: 'set', identity, fields, position: null };
}

function createOrder(order: CreateOrder): CreateOrder {
  for (const [key, change] of order.fields) {
    if (change.kind !== 'edit') continue;
    const { name } = exchangeNameOf(order.kind, key);
    throw usage(`-${name}: nothing can be added to what is new, or removed; write the list alone`);
  }
  return order;
}

function readIdentity(given: Arguments): string {
  const identity = given.text('Identity');
  if (identity !== null && identity !== '') return identity;
  throw usage('-Identity is empty; it names one object');
}

/** `isShown` tells what is filtered out. */
export function readLook(
  kind: PolicyKindName,
  given: Arguments,
): { readonly order: LookOrder; readonly isShown: (object: ObjectView) => boolean } {
  const order = {
    kind,
    organization: given.text('Organization'),
    identity: given.text('Identity'),
  };
  const scoped = given.flag('IsTransportRuleScoped');
  const withTests = given.flag('IncludeTestModeConnectors') ?? true;
  const state = given.word('State');
  const isShown = ({ value }: ObjectView): boolean =>
    (scoped === undefined || (value['isTransportRuleScoped'] === true) === scoped) &&
    (withTests || !isTest(value)) &&
    (state === null || (value['enabled'] === false) === (state === 'Disabled'));
  return { order, isShown };
}

function isTest(value: ObjectView['value']): boolean {
  return value['testMode'] === true || value['mode'] === 'observe';
}

/** The keys that were spoken of. */
function readFields(kind: PolicyKindName, given: Arguments): FieldChanges {
  const fields = new Map<string, FieldChange>();
  for (const field of fieldsOf(policyKinds[kind])) {
    const value = given.value(exchangeNameOf(kind, field.key).name);
    if (value !== undefined) fields.set(field.key, toChange(field, value));
  }
  return fields;
}

function toChange({ key }: ObjectField, value: CmdletValue): FieldChange {
  if (value.kind === 'null') return { kind: 'unset' };
  if (value.kind === 'flag') return { kind: 'set', value: value.value };
  if (value.kind === 'text') return { kind: 'set', value: fromExchange(key, value.value) };
  if (value.kind === 'list') return { kind: 'set', value: listFromExchange(key, value.values) };
  const [add, remove] = [value.add, value.remove].map((each) => listFromExchange(key, each));
  return { kind: 'edit', add: add!, remove: remove! };
}
