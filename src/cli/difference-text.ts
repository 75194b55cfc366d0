/** What is different in the policy, as people read it: a line for each object, one for each key. */
import type { ObjectDifference } from '../api/contract/policy-objects.ts';
import { describeObject, objectKinds } from '../config/policy-object.ts';
import type { ObjectKey } from '../config/policy-object.ts';
import { printable } from './printable.ts';

const signs = { added: '+', removed: '-', changed: '~', moved: '>' } as const;

/** A key that differs; without `before` it is new, without `after` it is gone. */
export type KeyDifference = ObjectDifference['keys'][number];

/** Each organization with what is in it, in the order of the kinds. Empty for no difference. */
export function formatDifferences(differences: readonly ObjectDifference[]): string {
  return differences
    .toSorted((a, b) => compareKeys(a.object, b.object))
    .map(formatDifference)
    .join('');
}

function compareKeys(a: ObjectKey, b: ObjectKey): number {
  const [ownerA, ownerB] = [ownerOf(a), ownerOf(b)];
  if (ownerA !== ownerB) return ownerA < ownerB ? -1 : 1;
  return objectKinds.indexOf(a.kind) - objectKinds.indexOf(b.kind);
}

function ownerOf({ kind, organization, name }: ObjectKey): string {
  return kind === 'organization' ? name : (organization ?? '');
}

function formatDifference({ object, kind, keys }: ObjectDifference): string {
  const moved = kind === 'moved' ? ' (moved)' : '';
  const head = `${printable(`${signs[kind]} ${describeObject(object)}${moved}`)}\n`;
  return kind === 'removed' ? head : `${head}${formatKeys(keys, '    ')}`;
}

/** A line for each. */
export function formatKeys(keys: readonly KeyDifference[], indent: string): string {
  return keys.map((key) => `${printable(`${indent}${formatKey(key)}`)}\n`).join('');
}

function formatKey(entry: KeyDifference): string {
  const { key } = entry;
  if (!('before' in entry)) return `+ ${key}: ${show(entry.after)}`;
  if (!('after' in entry)) return `- ${key}: ${show(entry.before)}`;
  return `~ ${key}: ${show(entry.before)} -> ${show(entry.after)}`;
}

function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `2 added, 1 changed, 1 removed` */
export function countDifferences(differences: readonly ObjectDifference[]): string {
  const counts = Object.keys(signs).flatMap((kind) => {
    const count = differences.filter((each) => each.kind === kind).length;
    return count === 0 ? [] : [`${count} ${kind}`];
  });
  return counts.join(', ');
}
