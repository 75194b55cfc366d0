/** `postern send`: hands one text message to the running gateway, and may wait for its outcome. */
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { ApiClient } from '../../api/client.ts';
import type { RecipientStateView } from '../../api/contract/trace-search.ts';
import type { Address } from '../../mail/address.ts';
import { formatAddress, parseAddress } from '../../mail/address.ts';
import { Failure } from '../../mail/failure.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  requireOption,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { composeMessage } from '../compose-message.ts';
import { exitCode } from '../exit-code.ts';
import { formatJson } from '../json-text.ts';
import { readInput } from '../read-input.ts';
import { quoteShell } from '../quote-shell.ts';
import { formatTable } from '../table.ts';
import { areFinal } from '../trace-outcome.ts';

interface Options extends GatewayOptions {
  readonly to?: readonly string[];
  readonly from?: string;
  readonly subject: string;
  readonly body?: string;
  readonly wait?: boolean;
  readonly timeout: number;
  readonly json?: boolean;
}

const inputTimeoutMs = 60_000;
const pollMs = 250;

export function addSend(program: Command, context: CommandContext): void {
  const command = program
    .command('send')
    .summary('send a message through the running gateway')
    .description(
      'Hands a text message to the running gateway and prints its queue id. The text comes from --body, else from standard input if that is no terminal. With --wait it exits with 0 when everybody has got it, 69 when somebody never will, 75 when it still waits.',
    )
    .option('--to <address>', 'recipient (needed); may be repeated, or a list with commas', collect)
    .option('--from <address>', "sender (default: the gateway's first mailbox)")
    .option('--subject <text>', 'subject', 'Test message from Postern')
    .option('--body <text>', 'text of the message; - reads standard input')
    .option('--wait', 'wait until every recipient has a final outcome')
    .option('--timeout <seconds>', 'how long --wait waits', readSeconds, 60);
  withJsonOption(withGatewayOptions(command))
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'send --to user@example.test',
        'send --to doctor@contoso.com --subject "TLS test" --body "Hello" --wait',
      ),
    )
    .action((options: Options) => send(context, options));
}

function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), ...text.split(',').map((part) => part.trim())];
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds > 0 && seconds <= 86_400) return seconds;
  throw new Failure('option-wrong', `--timeout: "${text}" is no number of seconds up to 86400`);
}

async function send(context: CommandContext, options: Options): Promise<void> {
  const to = requireOption(options.to, '--to').map((text) => readAddress(text, '--to'));
  const named = options.from === undefined ? null : readAddress(options.from, '--from');
  const client = await connectGateway(context, options);
  const from = named ?? (await findDefaultSender(client));
  const content = composeMessage({
    from,
    to,
    subject: options.subject,
    body: await readBody(context, options),
    nowMs: context.nowMs(),
    uniqueText: randomUUID(),
  });
  const { id } = await client.submit({
    from: formatAddress(from),
    to: to.map(formatAddress),
    content: content.toString('base64'),
  });
  const traceCommand = formatTraceCommand(context, options, id);
  if (options.json !== true) {
    await context.out.print(`queued as ${id}\nwhat becomes of it: ${traceCommand}\n`);
  }
  const states = options.wait === true ? await waitForOutcome(context, client, options, id) : null;
  await report(context, options, { id, traceCommand, states });
}

async function findDefaultSender(client: ApiClient): Promise<Address> {
  const { defaultSender } = await client.status();
  const address = defaultSender === null ? null : parseAddress(defaultSender);
  if (address !== null) return address;
  throw new Failure('sender-missing', 'the gateway has no mailbox that could be the sender');
}

function readAddress(text: string, option: string): Address {
  const address = parseAddress(text);
  if (address !== null) return address;
  throw new Failure('option-wrong', `${option}: "${text}" is not a mail address`);
}

async function readBody(context: CommandContext, options: Options): Promise<string> {
  const fallback = 'This message was made by `postern send` to try the way of mail.\n';
  if (options.body !== undefined && options.body !== '-') return options.body;
  if (options.body === undefined && context.stdin.isTTY === true) return fallback;
  const text = await readInput(context.stdin, inputTimeoutMs);
  return text === '' ? fallback : text;
}

/** The command to be copied, with the options that lead to the same gateway. */
function formatTraceCommand(context: CommandContext, options: GatewayOptions, id: string): string {
  const parts = [context.offline.commandName, 'trace', id];
  if (options.socket !== undefined) parts.push('--socket', quoteShell(options.socket));
  else if (options.config !== undefined) parts.push('--config', quoteShell(options.config));
  return parts.join(' ');
}

/** Ends when every outcome is final or the time is over. */
async function waitForOutcome(
  context: CommandContext,
  client: ApiClient,
  options: Options,
  id: string,
): Promise<readonly RecipientStateView[]> {
  const endMs = context.nowMs() + options.timeout * 1000;
  for (;;) {
    const states = await readStates(client, id);
    if (areFinal(states) || context.nowMs() >= endMs) return states;
    await context.wait(pollMs);
  }
}

/** The trace's record may be a commit behind the answer. */
async function readStates(client: ApiClient, id: string): Promise<readonly RecipientStateView[]> {
  try {
    return (await client.readTrace(id)).recipients;
  } catch (error) {
    if (error instanceof Failure && error.code === 'trace-unknown') return [];
    throw error;
  }
}

interface Sent {
  readonly id: string;
  readonly traceCommand: string;
  /** Null where nobody waited. */
  readonly states: readonly RecipientStateView[] | null;
}

async function report(context: CommandContext, options: Options, sent: Sent): Promise<void> {
  const { id, traceCommand, states } = sent;
  if (options.json === true) {
    await context.out.print(formatJson({ formatVersion: 1, id, traceCommand, recipients: states }));
  } else if (states !== null) {
    const columns = [
      { title: 'RECIPIENT', mayShrink: true },
      { title: 'STATE' },
      { title: 'STATUS' },
    ];
    const rows = states.map(({ recipient, state, status, reason }) => ({
      cells: [recipient, state, status],
      note: reason,
    }));
    await context.out.print(`\n${formatTable(columns, rows, context.width)}`);
  }
  context.setExitCode(states === null ? exitCode.ok : exitCodeOf(states));
}

function exitCodeOf(states: readonly RecipientStateView[]): number {
  if (states.some(({ state }) => state === 'bounced')) return exitCode.unavailable;
  const isDone = states.length > 0 && states.every(({ state }) => state === 'delivered');
  return isDone ? exitCode.ok : exitCode.tempFail;
}
