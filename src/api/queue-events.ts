/** What happens in the queue, found by looking at it: a picture first, then what is new in it. */
import type { QueueRowView } from './contract.ts';
import type { ServerEvent } from './serve/event-streams.ts';

/**
 * A look; the first one gives `snapshot`, each later one a `row` for what came or changed and `gone`
 * for what is no longer among the rows that were asked for.
 */
export function watchQueue(
  list: () => Promise<readonly QueueRowView[]>,
): () => Promise<readonly ServerEvent[]> {
  let known: ReadonlyMap<string, string> | null = null;
  return async () => {
    const rows = await list();
    const before = known;
    const now = new Map(rows.map((row) => [keyOf(row), JSON.stringify(row)]));
    known = now;
    if (before === null) return [{ event: 'snapshot', data: { rows } }];
    const changed = rows.filter((row) => before.get(keyOf(row)) !== now.get(keyOf(row)));
    const gone = [...before.keys()].filter((key) => !now.has(key));
    return [
      ...gone.map((key) => ({ event: 'gone', data: readKey(key) })),
      ...changed.map((row) => ({ event: 'row', data: row })),
    ];
  };
}

function keyOf({ id, ordinal }: QueueRowView): string {
  return `${id} ${ordinal}`;
}

function readKey(key: string): { readonly id: string; readonly ordinal: number } {
  const [id = '', ordinal] = key.split(' ');
  return { id, ordinal: Number(ordinal) };
}
