/** `postern queue retry | hold | release | expire | delete`: orders on one message or on many. */
import type { Command } from 'commander';
import type { ApiClient } from '../../api/client.ts';
import type {
  QueueActionName,
  QueueOrderAnswer,
  QueueOrderInput,
  WeakerView,
} from '../../api/contract/queue-orders.ts';
import { Failure } from '../../mail/failure.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { confirm } from '../confirm.ts';
import { exitCode } from '../exit-code.ts';
import { formatJson } from '../json-text.ts';
import type { FilterOptions } from '../queue-filter.ts';
import { readQueueId, toMatchQuery, withFilterOptions } from '../queue-filter.ts';
import { formatQueueRows } from '../queue-rows.ts';
import { formatTable } from '../table.ts';
import { whoAsks } from '../who.ts';

interface Options extends GatewayOptions, FilterOptions {
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly acceptWeakerPolicy?: boolean;
  readonly json?: boolean;
}

interface Verb {
  readonly summary: string;
  readonly description: string;
  /** As `12 deliveries were …`. */
  readonly done: string;
  readonly isFinal: boolean;
}

const verbs: Readonly<Record<QueueActionName, Verb>> = {
  retry: {
    summary: 'try queued mail now',
    description: 'Makes queued mail due at once. Held mail stays: release it.',
    done: 'due now',
    isFinal: false,
  },
  hold: {
    summary: 'stop mail until it is released',
    description: 'Stops queued mail until it is released; it does not expire meanwhile.',
    done: 'held',
    isFinal: false,
  },
  release: {
    summary: 'let held mail go on',
    description:
      'Lets held mail go on, due at once and with a new time of expiry. Mail that would go out under less than it was accepted under stays, and is shown with what is no longer demanded, unless --accept-weaker-policy is given. Exits with 65 if something stays for that.',
    done: 'released',
    isFinal: false,
  },
  expire: {
    summary: 'give mail up and tell its sender',
    description: 'Gives mail up: its sender gets a DSN, as if its time were over.',
    done: 'given up, their senders are told',
    isFinal: true,
  },
  delete: {
    summary: 'delete mail, nobody is told',
    description: 'Deletes mail from the queue. Nobody is told; the trace says who did it.',
    done: 'deleted',
    isFinal: true,
  },
};

export function addQueueOrders(queue: Command, context: CommandContext): void {
  for (const action of Object.keys(verbs) as QueueActionName[]) addOrder(queue, context, action);
}

function addOrder(queue: Command, context: CommandContext, action: QueueActionName): void {
  const { summary, description, isFinal } = verbs[action];
  const command = queue
    .command(action)
    .summary(summary)
    .description(
      `${description} Names one message by its id, or all that every filter fits; what is under way is dealt with when its attempt has ended.`,
    )
    .argument('[id]', 'queue id', readQueueId);
  withFilterOptions(command)
    .option('--all', 'the whole queue, where no filter is given')
    .option('--dry-run', 'only show what would be touched');
  if (isFinal) command.option('--yes', 'do not ask before touching more than one');
  if (action === 'release') {
    command.option('--accept-weaker-policy', 'release also under less than at acceptance');
  }
  withJsonOption(withGatewayOptions(command))
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        `queue ${action} 06X9T5K1G000`,
        `queue ${action} --domain contoso.com --older-than 2h --dry-run`,
      ),
    )
    .action((id: string | undefined, options: Options) => run(context, action, { id, ...options }));
}

interface Asked extends Options {
  readonly id: string | undefined;
}

async function run(context: CommandContext, action: QueueActionName, asked: Asked): Promise<void> {
  const match = toMatchQuery(asked.id, asked, context.nowMs());
  const isAll = asked.all === true;
  if (Object.keys(match).length === 0 && !isAll) {
    const text = `say which mail: an id, a filter, or --all for the whole queue`;
    throw new Failure('option-wrong', text);
  }
  const client = await connectGateway(context, asked);
  const order: QueueOrderInput = {
    action,
    match,
    all: isAll,
    by: whoAsks(context),
    acceptWeakerPolicy: asked.acceptWeakerPolicy === true,
  };
  if (verbs[action].isFinal && asked.dryRun !== true && asked.yes !== true) {
    await askFirst(context, client, order);
  }
  const total = await takeAllSteps(context, client, { ...order, dryRun: asked.dryRun === true });
  const isDry = asked.dryRun === true;
  const text =
    asked.json === true
      ? formatJson({ formatVersion: 1, action, dryRun: isDry, ...total })
      : formatTotal(context, action, total, isDry);
  await context.out.print(text);
  context.setExitCode(exitCodeOf(asked, total));
}

function exitCodeOf(asked: Asked, { changed, pending, unfit, withheld }: Total): number {
  if (withheld.length > 0) return exitCode.data;
  const isNothing = changed + pending + unfit === 0;
  return isNothing && asked.id !== undefined ? exitCode.noInput : exitCode.ok;
}

async function askFirst(
  context: CommandContext,
  client: ApiClient,
  order: QueueOrderInput,
): Promise<void> {
  const { changed } = await takeAllSteps(context, client, { ...order, dryRun: true });
  if (changed > 1) await confirm(context, `${capitalize(order.action)} ${changed} deliveries?`);
}

type Total = Omit<QueueOrderAnswer, 'next'>;

/** Rows and withheld ones that are kept to be shown; the counts go on. */
const shownMax = 1000;

/** All steps, one after another; on a terminal it says how far it is. */
async function takeAllSteps(
  context: CommandContext,
  client: ApiClient,
  order: QueueOrderInput,
): Promise<Total> {
  let total: Total = { changed: 0, pending: 0, unfit: 0, withheld: [], rows: [] };
  let after: string | null = null;
  let steps = 0;
  do {
    const answer: QueueOrderAnswer = await client.orderQueue({ ...order, after });
    total = {
      changed: total.changed + answer.changed,
      pending: total.pending + answer.pending,
      unfit: total.unfit + answer.unfit,
      withheld: [...total.withheld, ...answer.withheld].slice(0, shownMax),
      rows: [...total.rows, ...answer.rows].slice(0, shownMax),
    };
    after = answer.next;
    steps += 1;
    const isLong = context.width !== null && (after !== null || steps > 1);
    if (isLong) await context.err.print(`\r${order.action}: ${total.changed} so far`);
  } while (after !== null);
  if (context.width !== null && steps > 1) await context.err.print('\r\u001b[K');
  return total;
}

function formatTotal(
  context: CommandContext,
  action: QueueActionName,
  total: Total,
  isDry: boolean,
): string {
  const { changed, pending, unfit, withheld, rows } = total;
  const lines = [`${countOf(changed)} ${isDry ? 'would be ' : ''}${verbs[action].done}`];
  if (pending > 0) lines.push(`${countOf(pending)} under way: when the attempt has ended`);
  if (unfit > 0) lines.push(`${countOf(unfit)} left as they are: ${unfitReasons[action]}`);
  if (withheld.length > 0) {
    lines.push(`${countOf(withheld.length)} still held: the policy of now is weaker`);
  }
  const table = isDry && rows.length > 0 ? `\n${formatQueueRows(context, rows)}` : '';
  return `${lines.join('\n')}\n${formatWithheld(context, withheld)}${table}`;
}

const unfitReasons: Readonly<Record<QueueActionName, string>> = {
  retry: 'held, or due already',
  hold: 'held already',
  release: 'not held',
  expire: 'gone already',
  delete: 'gone already',
};

function formatWithheld(context: CommandContext, withheld: Total['withheld']): string {
  if (withheld.length === 0) return '';
  const columns = [{ title: 'ID' }, { title: 'TO', mayShrink: true }];
  const rows = withheld.map(({ id, recipients, weaker }) => ({
    cells: [id, recipients.join(', ')],
    note: describeWeaker(weaker),
  }));
  const next = 'To send them nevertheless, say --accept-weaker-policy; the trace keeps who did.';
  return `\n${formatTable(columns, rows, context.width)}\n${next}\n`;
}

/** What the mail would go out under, in one sentence. */
export function describeWeaker({ lost, today, connector }: WeakerView): string {
  const way = connector === null ? 'the default connector' : `connector "${connector}"`;
  const left = today.length === 0 ? 'nothing, it may leave in clear' : today.join(', ');
  return `no longer demanded: ${lost.join(', ')}; today ${way} demands ${left}`;
}

function countOf(count: number): string {
  return count === 1 ? '1 delivery' : `${count} deliveries`;
}

function capitalize(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
