/** `postern queue show`: one queued message, its deliveries, and what is demanded of each. */
import type { Command } from 'commander';
import type { QueuedMessageView } from '../../api/contract/queue-orders.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { formatJson } from '../json-text.ts';
import { readQueueId } from '../queue-filter.ts';
import { formatDue, formatOutcome } from '../queue-rows.ts';
import { whoAsks } from '../who.ts';
import { describeWeaker } from './queue-order.ts';

interface Options extends GatewayOptions {
  readonly content?: boolean;
  readonly json?: boolean;
}

export function addQueueShow(queue: Command, context: CommandContext): void {
  const command = queue
    .command('show')
    .summary('show a queued message')
    .description(
      'Shows a queued message: envelope, each delivery with its last outcome, next attempt and what TLS must be and on whose word, and the header. With --content it prints the message itself, byte by byte; that it was read is logged.',
    )
    .argument('<id>', 'queue id', readQueueId)
    .option('--content', 'print the whole message instead');
  withJsonOption(withGatewayOptions(command))
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'queue show 06X9T5K1G000',
        'queue show 06X9T5K1G000 --content > message.eml',
      ),
    )
    .action(async (id: string, options: Options) => {
      const client = await connectGateway(context, options);
      if (options.content === true) {
        await client.readContent(id, whoAsks(context), (part) => context.out.print(part));
        return;
      }
      const message = await client.showQueued(id);
      const text =
        options.json === true
          ? formatJson({ formatVersion: 1, ...message })
          : formatMessage(context, message);
      await context.out.print(text);
    });
}

function formatMessage(context: CommandContext, message: QueuedMessageView): string {
  const nowMs = context.nowMs();
  const [first] = message.deliveries;
  if (first === undefined) return 'nothing waits\n';
  const lines = [
    `message   ${message.id}`,
    `from      ${first.from ?? '<>'}`,
    `received  ${first.receivedAt} (${describeSource(first.source)})`,
    `size      ${first.sizeBytes} bytes, ${message.bodyType}`,
    `of        organization ${first.organization}`,
    ...message.deliveries.flatMap((delivery) => formatDelivery(delivery, nowMs)),
    '',
    ...formatHeader(message.header),
  ];
  return `${lines.map(sanitizePeerText).join('\n')}\n`;
}

function formatDelivery(delivery: QueuedMessageView['deliveries'][number], nowMs: number) {
  const { ordinal, state, recipients, dueAt, floor, weaker } = delivery;
  return [
    '',
    `delivery ${ordinal}: ${state}, next try ${formatDue(dueAt, nowMs)}`,
    ...recipients.map((recipient) => `  to      ${recipient}`),
    `  by      ${delivery.routeKey}`,
    `  last    ${formatOutcome(delivery)}`,
    ...(floor.length === 0 ? ['  TLS     optional'] : []),
    ...floor.map(({ demand, origin }) => `  demands ${demand} (${origin})`),
    ...(weaker === null ? [] : [`  weaker  ${describeWeaker(weaker)}`]),
  ];
}

function describeSource(source: QueuedMessageView['deliveries'][number]['source']): string {
  switch (source.kind) {
    case 'mx':
      return ['on the MX port', ...source.inboundConnectors].join(', ');
    case 'organization':
      return `inside, from ${source.organization}`;
    case 'submission':
      return `submitted by ${source.account}`;
    case 'dsn':
      return source.isRehearsal === true
        ? `the answer to the rehearsal ${source.about}`
        : `a DSN about ${source.about}`;
  }
}

const headerLinesMax = 200;

function formatHeader(header: string | null): string[] {
  if (header === null) return ['its header is longer than 64 KB, or cannot be read'];
  const lines = header.trimEnd().split('\r\n');
  const rest = lines.length - headerLinesMax;
  return rest > 0 ? [...lines.slice(0, headerLinesMax), `… and ${rest} lines more`] : lines;
}
