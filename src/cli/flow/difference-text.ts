/** What is different in the policy, as people read it: a line for each object, one for each key. */
import type { ObjectDifference } from '../../api/contract/policy-objects.ts';
import { describeObject } from '../../config/policy-object.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';

const signs = { added: '+', removed: '-', changed: '~', moved: '>' } as const;

/** Empty for no difference. */
export function formatDifferences(differences: readonly ObjectDifference[]): string {
  return differences.map(formatDifference).join('');
}

function formatDifference({ object, kind, keys }: ObjectDifference): string {
  const moved = kind === 'moved' ? ' (moved)' : '';
  const head = `${signs[kind]} ${describeObject(object)}${moved}\n`;
  if (kind === 'removed') return sanitizeLines(head);
  const lines = keys.map((entry) => {
    if (!('before' in entry)) return `    + ${entry.key}: ${show(entry.after)}\n`;
    if (!('after' in entry)) return `    - ${entry.key}: ${show(entry.before)}\n`;
    return `    ~ ${entry.key}: ${show(entry.before)} -> ${show(entry.after)}\n`;
  });
  return sanitizeLines(`${head}${lines.join('')}`);
}

function sanitizeLines(text: string): string {
  return text
    .split('\n')
    .map((line) => sanitizePeerText(line))
    .join('\n');
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
