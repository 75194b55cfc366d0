/** Imported policy objects as one value in the shape of the configuration file, and as its YAML. */
import type { ConfigValues } from '../effective-config.ts';
import { formatConfig } from '../format-config.ts';
import type { Draft, DraftKind } from './draft.ts';

/** A policy object. `organization` is null for what belongs to the whole gateway. */
export interface ImportedObject {
  readonly kind: DraftKind;
  readonly organization: string | null;
  readonly name: string;
  /** What stands in the file for it. */
  readonly value: ConfigValues;
}

/** The list of an organization that holds objects of a kind. */
export const collectionOf = {
  'accepted-domain': 'acceptedDomains',
  'delivery-target': 'deliveryTargets',
  'inbound-connector': 'inboundConnectors',
  'outbound-connector': 'outboundConnectors',
  rule: 'rules',
} as const;

/** The drafts that are made, after the organization that they belong to. */
export function toObjects(drafts: readonly Draft[], organization: string): ImportedObject[] {
  const id = organization;
  const own: ImportedObject = { kind: 'organization', organization: null, name: id, value: { id } };
  const made = drafts.filter(({ isDropped }) => !isDropped);
  const others = made.map(({ kind, name, value }) => ({
    kind,
    organization: kind === 'certificate' ? null : organization,
    name,
    value,
  }));
  return [own, ...others];
}

/** `organizations: […]` and `certificates`, without empty lists. */
export function composeFlow(objects: readonly ImportedObject[]): ConfigValues {
  const certificates = objects.filter(({ kind }) => kind === 'certificate');
  const organizations = objects.filter(({ kind }) => kind === 'organization');
  return {
    ...(certificates.length === 0
      ? {}
      : { certificates: Object.fromEntries(certificates.map(({ name, value }) => [name, value])) }),
    organizations: organizations.map(({ name, value }) => ({
      ...value,
      ...listsOf(objects.filter(({ organization }) => organization === name)),
    })),
  };
}

function listsOf(objects: readonly ImportedObject[]): ConfigValues {
  const lists = Object.entries(collectionOf).map(([kind, key]) => [
    key,
    objects.filter((object) => object.kind === kind).map(({ value }) => value),
  ]);
  return Object.fromEntries(lists.filter(([, list]) => list!.length > 0)) as ConfigValues;
}

/** The objects that stand in a configuration: the other way round. `flow` is one that loads. */
export function listObjects(flow: ConfigValues): ImportedObject[] {
  const certificates = Object.entries((flow['certificates'] ?? {}) as Record<string, ConfigValues>);
  const organizations = (flow['organizations'] ?? []) as readonly ConfigValues[];
  return [
    ...certificates.map(([name, value]) => ({
      kind: 'certificate' as const,
      organization: null,
      name,
      value,
    })),
    ...organizations.flatMap(objectsOf),
  ];
}

function objectsOf(values: ConfigValues): ImportedObject[] {
  const id = String(values['id']);
  const lists = new Set<string>(Object.values(collectionOf));
  const own = Object.entries(values).filter(([key]) => !lists.has(key));
  const named = Object.entries(collectionOf).flatMap(([kind, key]) =>
    ((values[key] ?? []) as readonly ConfigValues[]).map((value) => ({
      kind: kind as DraftKind,
      organization: id,
      name: String(value[kind === 'accepted-domain' ? 'domain' : 'name']),
      value,
    })),
  );
  return [
    { kind: 'organization', organization: null, name: id, value: Object.fromEntries(own) },
    ...named,
  ];
}

/** `head`: lines of comment above it. */
export function formatFlow(objects: readonly ImportedObject[], head: readonly string[]): string {
  const comment = head.map((line) => `# ${line}\n`).join('');
  return `${comment}${formatConfig(composeFlow(objects), false)}`;
}
