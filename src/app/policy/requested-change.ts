/** What somebody asks to be changed, held against what is there: the objects that there shall be. */
import type { ObjectChange, PlacedObject, SetBy } from '../../config/change-policy.ts';
import { PolicyDraft } from '../../config/change-policy.ts';
import { forgetValidation } from '../../config/forget-validation.ts';
import { mergePatch } from '../../config/merge-patch.ts';
import { keepSecrets } from '../../config/object-secrets.ts';
import type {
  ObjectKey,
  ObjectKind,
  ObjectValue,
  PolicyObject,
} from '../../config/policy-object.ts';
import {
  canonicalName,
  describeObject,
  kindOf,
  kindsInOrganization,
  kindsOfGateway,
} from '../../config/policy-object.ts';
import { Failure } from '../../mail/failure.ts';
import { requireOwnMeans } from './own-means.ts';
import type { PolicyState } from './policy-book.ts';

/** What must be so for the change to be meant: the versions that its author may have seen. */
export type Expectation =
  | { readonly kind: 'any' | 'present' | 'absent' }
  | { readonly kind: 'version'; readonly revisions: readonly number[] };

/** `place`, from 0 among its like; null leaves it where it is, or adds it at the end. */
export type RequestedChange = { readonly key: ObjectKey; readonly expect: Expectation } & (
  | { readonly kind: 'put'; readonly value: ObjectValue; readonly place: number | null }
  | { readonly kind: 'patch'; readonly value: ObjectValue; readonly place: number | null }
  | { readonly kind: 'remove'; readonly withContents: boolean }
);

/**
 * One after the other; `setBy` says whose word they are. Throws a Failure: `object-unknown`,
 * `object-exists`, `object-changed`, `object-misplaced`, `object-name-differs`, `means-not-yours`, and
 * `object-in-use` for an organization that still holds something.
 */
export function applyRequests(
  state: PolicyState,
  requests: readonly RequestedChange[],
  setBy: SetBy = {},
): readonly PolicyObject[] {
  const draft = new PolicyDraft(state.objects, state.revision + 1, setBy);
  for (const request of requests) {
    const key = canonicalKey(request.key);
    requireShape(key);
    const old = draft.find(key);
    checkExpectation(key, old, request.expect);
    if (request.kind === 'remove') {
      for (const each of removals(draft, key, request.withContents)) draft.change(each);
    } else {
      const value = valueOf(request, key, old);
      requireOwnKeys(key, value);
      if (setBy.setBy === 'organization') requireOwnMeans(key, value, state.objects);
      draft.change({ key, value, place: request.place });
    }
  }
  for (const request of requests) {
    const key = canonicalKey(request.key);
    if (draft.find(key) !== null) requireOrganization(draft, key);
  }
  return draft.objects();
}

/** Throws a Failure `policy-changed` where somebody was quicker. */
export function requireRevision({ revision }: PolicyState, wanted: number): void {
  if (revision === wanted) return;
  const text = `the policy was changed meanwhile: it is at revision ${revision}, and the change was worked out on ${wanted}`;
  throw new Failure('policy-changed', text, { wireText: text });
}

/** What stands where nobody looks would act nowhere. Throws a Failure `object-misplaced`. */
function requireShape({ kind, organization, name }: ObjectKey): void {
  const isOfGateway = kindsOfGateway.some((each) => each.kind === kind);
  if (isOfGateway === (organization === null)) return;
  const where = isOfGateway
    ? 'belongs to the gateway, not to an organization'
    : 'needs an organization';
  throw new Failure(
    'object-misplaced',
    `the ${kindOf(kind).words} ${JSON.stringify(name)} ${where}`,
  );
}

/**
 * What an organization holds are objects of their own, each with its permission: as a key of the
 * organization it would come past that. Throws a Failure `object-misplaced`.
 */
function requireOwnKeys(key: ObjectKey, value: ObjectValue): void {
  if (key.kind !== 'organization') return;
  const held = kindsInOrganization.find(({ list }) => Object.hasOwn(value, list));
  if (held === undefined) return;
  const text = `${describeObject(key)}: ${held.list} are objects of their own: change each ${held.words} by itself`;
  throw new Failure('object-misplaced', text, { wireText: text });
}

/** What no organization holds would act nowhere. */
function requireOrganization(draft: PolicyDraft, { organization }: ObjectKey): void {
  if (organization === null) return;
  const key = { kind: 'organization', organization: null, name: organization } as const;
  if (draft.find(key) === null) throw unknownObject(key);
}

function canonicalKey(key: ObjectKey): ObjectKey {
  return { ...key, name: canonicalName(key.kind, key.name) };
}

function checkExpectation(key: ObjectKey, old: PlacedObject | null, expect: Expectation): void {
  const what = describeObject(key);
  if (expect.kind === 'absent' && old !== null) {
    throw new Failure('object-exists', `there is the ${what} already`);
  }
  if (expect.kind === 'any' || expect.kind === 'absent') return;
  if (old === null) throw unknownObject(key);
  if (expect.kind === 'version' && !expect.revisions.includes(old.revision)) {
    const seen = expect.revisions.join(', ');
    const text = `the ${what} was changed meanwhile: it is of revision ${old.revision}, not of ${seen}`;
    throw new Failure('object-changed', text);
  }
}

export function unknownObject(key: ObjectKey): Failure {
  return new Failure('object-unknown', `there is no ${describeObject(key)}`);
}

function valueOf(
  request: RequestedChange & { readonly kind: 'put' | 'patch' },
  key: ObjectKey,
  old: PlacedObject | null,
): ObjectValue {
  if (request.kind === 'patch' && old === null) throw unknownObject(key);
  const whole =
    request.kind === 'put'
      ? keepSecrets(key.kind, request.value, old?.value ?? null)
      : patched(key.kind, old!.value, request.value);
  return named(whole, key, old);
}

function patched(kind: ObjectKind, old: ObjectValue, patch: ObjectValue): ObjectValue {
  const next = mergePatch(old, patch) as ObjectValue;
  return forgetValidation(kind, { old, patch, next });
}

/** The key that names it is the name in its one spelling, or as it was written before. */
function named(value: ObjectValue, key: ObjectKey, old: PlacedObject | null): ObjectValue {
  const { namedBy } = kindOf(key.kind);
  if (namedBy === null) return value;
  const written = value[namedBy] ?? old?.value[namedBy] ?? key.name;
  if (typeof written === 'string' && canonicalName(key.kind, written) === key.name) {
    const { [namedBy]: _name, ...rest } = value;
    return { [namedBy]: written, ...rest };
  }
  const text = `${namedBy} is ${JSON.stringify(written)}, while the change is about the ${describeObject(key)}; a name stays: remove the one and make the other`;
  throw new Failure('object-name-differs', text);
}

function removals(
  draft: PolicyDraft,
  key: ObjectKey,
  withContents: boolean,
): readonly ObjectChange[] {
  if (draft.find(key) === null) throw unknownObject(key);
  const objects = key.kind === 'organization' ? draft.objects() : [];
  const held = objects.filter(({ organization }) => organization === key.name);
  if (held.length > 0 && !withContents) {
    const shown = held.slice(0, 5).map(describeObject).join(', ');
    const more = held.length > 5 ? ` and ${held.length - 5} more` : '';
    throw new Failure('object-in-use', `${describeObject(key)} still holds ${shown}${more}`);
  }
  return [...held, key].map(({ kind, organization, name }) => ({
    key: { kind, organization, name },
    value: null,
    place: null,
  }));
}
