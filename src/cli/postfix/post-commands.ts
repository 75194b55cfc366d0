/** `postqueue -p | -j | -f | -i ID | -s DOMAIN` and `postsuper -d | -h | -H | -r ID|ALL`. */
import type { ApiClient } from '../../api/client.ts';
import type { QueueActionName, QueueMatchQuery } from '../../api/contract/queue-orders.ts';
import { Failure } from '../../mail/failure.ts';
import type { CommandContext } from '../command-context.ts';
import { exitCode } from '../exit-code.ts';
import { readQueueId } from '../queue-filter.ts';
import { whoAsks } from '../who.ts';
import { formatMailq, formatMailqJson } from './mailq-text.ts';

const postqueueUsage = 'use one of: postqueue -p, -j, -f, -i ID, -s DOMAIN';
const postsuperUsage = 'use one of: postsuper -d, -h, -H or -r, with an ID or ALL';

export async function runPostqueue(
  context: CommandContext,
  client: ApiClient,
  argv: readonly string[],
): Promise<number> {
  const [option = '', value] = splitOption(argv);
  switch (option) {
    case '-p':
      await context.out.print(await formatMailq(client));
      return exitCode.ok;
    case '-j':
      await context.out.print(await formatMailqJson(client));
      return exitCode.ok;
    case '-f':
      await orderAll(context, client, 'retry', {});
      return exitCode.ok;
    case '-i':
      return orderOne(context, client, 'retry', value ?? '');
    case '-s':
      if (value === undefined) break;
      await orderAll(context, client, 'retry', { domain: value });
      return exitCode.ok;
    default:
  }
  throw new Failure('option-wrong', postqueueUsage);
}

const superActions: Readonly<Record<string, QueueActionName>> = {
  '-d': 'delete',
  '-h': 'hold',
  '-H': 'release',
  '-r': 'retry',
};

export async function runPostsuper(
  context: CommandContext,
  client: ApiClient,
  argv: readonly string[],
): Promise<number> {
  const [option = '', value] = splitOption(argv);
  const action = superActions[option];
  if (action === undefined || value === undefined)
    throw new Failure('option-wrong', postsuperUsage);
  if (value !== 'ALL') return orderOne(context, client, action, value);
  const { changed, withheld } = await orderAll(context, client, action, {});
  await context.err.print(`postsuper: ${action}: ${changed} deliveries\n`);
  return withheld === 0 ? exitCode.ok : exitCode.data;
}

/** `-iID` and `-i ID` are the same. */
function splitOption(argv: readonly string[]): readonly [string | undefined, string | undefined] {
  const [first, second] = argv;
  if (first !== undefined && first.length > 2) return [first.slice(0, 2), first.slice(2)];
  return [first, second];
}

async function orderOne(
  context: CommandContext,
  client: ApiClient,
  action: QueueActionName,
  id: string,
): Promise<number> {
  const done = await orderAll(context, client, action, { id: readQueueId(id) });
  if (done.withheld > 0) {
    const text = `${id} would go out under a weaker policy: see \`postern queue release ${id}\``;
    throw new Failure('policy-weaker', text);
  }
  return done.found === 0 ? exitCode.noInput : exitCode.ok;
}

/** All steps; an empty match is the whole queue. */
export async function orderAll(
  context: CommandContext,
  client: ApiClient,
  action: QueueActionName,
  match: QueueMatchQuery,
) {
  const total = { changed: 0, found: 0, withheld: 0 };
  let after: string | null = null;
  do {
    const order = { action, match, all: true, by: whoAsks(context), after };
    const step = await client.orderQueue(order);
    total.changed += step.changed;
    total.withheld += step.withheld.length;
    total.found += step.changed + step.pending + step.unfit + step.withheld.length;
    after = step.next;
  } while (after !== null);
  return total;
}
