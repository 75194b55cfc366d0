/** `postern audit list | verify | export`: who changed what, and whether the log is whole. */
import type { Command } from 'commander';
import type { ApiClient } from '../../api/client.ts';
import type { AuditEntryView } from '../../api/contract/audit.ts';
import { Failure } from '../../mail/failure.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { formatJson } from '../json-text.ts';
import type { AuditVerdict, ChainLink } from '../offline-audit.ts';
import { formatTable } from '../table.ts';

interface ListOptions extends GatewayOptions {
  readonly json?: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly action?: string;
  readonly person?: string;
  readonly organization?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly limit: string;
}

export function addAuditCommands(program: Command, context: CommandContext): void {
  const audit = program
    .command('audit')
    .summary('who changed what, and who signed in')
    .description('Reads the audit log of the running gateway.');
  addList(audit, context);
  addVerify(audit, context);
  addExport(audit, context);
}

function addList(audit: Command, context: CommandContext): void {
  const command = audit
    .command('list')
    .option('--since <time>', 'RFC 3339, as 2026-11-28T00:00:00Z')
    .option('--until <time>', 'before then')
    .option('--action <word>', 'beginning with this: sign-in, person, token, rule …')
    .option('--person <name>', 'who did it')
    .option('--organization <id>', 'whose it was')
    .option('--kind <kind>', 'of what it was done to: person, token, outbound-connector …')
    .option('--name <name>', 'of what it was done to')
    .option('--limit <n>', 'entries at most, up to 1000', '100')
    .summary('search the log, newest first')
    .description('Searches the audit log, newest first.');
  withJsonOption(withGatewayOptions(command))
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'audit list --action sign-in',
        'audit list --kind outbound-connector --name Contoso --json',
      ),
    )
    .action(async (options: ListOptions) => {
      const { since, until, action, person, organization, kind, name } = options;
      const query = {
        limit: Number(options.limit),
        ...(since === undefined ? {} : { since: timeOf(since) }),
        ...(until === undefined ? {} : { until: timeOf(until) }),
        ...(action === undefined ? {} : { action }),
        ...(person === undefined ? {} : { person }),
        ...(organization === undefined ? {} : { organization }),
        ...(kind === undefined ? {} : { kind }),
        ...(name === undefined ? {} : { name }),
      };
      const page = await (await connectGateway(context, options)).searchAudit(query);
      const text = options.json ? formatJson(page) : formatEntries(page.entries, context.width);
      await context.out.print(text);
    });
}

function timeOf(text: string): string {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new Failure('option-wrong', `"${text}" is no time`);
  return new Date(ms).toISOString();
}

function addVerify(audit: Command, context: CommandContext): void {
  const command = audit
    .command('verify')
    .option('--newest <hash>', 'a hash that was noted earlier, which must be in the chain')
    .summary('follow the hashes of the whole log')
    .description(
      'Reads the whole log and follows its hashes. Prints the newest one: note it elsewhere, since entries that are cut off at the end leave no other trace. Exits with 65 where the chain is broken.',
    );
  withJsonOption(withGatewayOptions(command))
    .addHelpText('after', formatExamples(context.offline.commandName, 'audit verify'))
    .action(
      async (options: GatewayOptions & { readonly json?: boolean; readonly newest?: string }) => {
        const client = await connectGateway(context, options);
        const verdict = await verify(client, context, options.newest ?? null);
        if (verdict.kind === 'broken') context.setExitCode(65);
        const text = options.json
          ? formatJson({ formatVersion: 1, ...verdict })
          : describeVerdict(verdict);
        await context.out.print(text);
      },
    );
}

async function verify(
  client: ApiClient,
  { offline }: CommandContext,
  noted: string | null,
): Promise<AuditVerdict> {
  const verifier = offline.audit.createVerifier();
  let isNotedFound = noted === null;
  let number = 0;
  for await (const link of readChain(client)) {
    if (!verifier.take(link)) break;
    number = link.number;
    isNotedFound ||= link.hash === noted;
  }
  const verdict = verifier.verdict();
  if (verdict.kind === 'broken' || isNotedFound) return verdict;
  const text = `the noted hash ${noted} is of no entry: entries were cut off, or the log is another one`;
  return { kind: 'broken', number: number + 1, text };
}

function addExport(audit: Command, context: CommandContext): void {
  const command = audit
    .command('export')
    .option('--after <number>', 'only entries behind this one', '0')
    .summary('write the whole log as NDJSON')
    .description(
      'Writes the log, oldest first, one JSON object a line: `number`, `hash`, and `entry` as the text that the hash (SHA-256, base64url) is of.',
    );
  withGatewayOptions(command)
    .addHelpText(
      'after',
      formatExamples(context.offline.commandName, 'audit export > audit.ndjson'),
    )
    .action(async (options: GatewayOptions & { readonly after: string }) => {
      const after = Number(options.after);
      if (!Number.isSafeInteger(after) || after < 0) {
        throw new Failure('option-wrong', `"${options.after}" is no number of an entry`);
      }
      const client = await connectGateway(context, options);
      for await (const { number, hash, json } of readChain(client, after)) {
        await context.out.print(`${JSON.stringify({ number, hash, entry: json })}\n`);
      }
    });
}

async function* readChain(client: ApiClient, after = 0): AsyncGenerator<ChainLink> {
  let next: number | null = after;
  while (next !== null) {
    const page = await client.readAuditChain(next);
    yield* page.links;
    next = page.next;
  }
}

function describeVerdict(verdict: AuditVerdict): string {
  if (verdict.kind === 'broken') {
    return `The chain is broken at entry ${verdict.number}: ${sanitizePeerText(verdict.text)}\n`;
  }
  const { entries, newest } = verdict;
  return newest === null
    ? 'The log is empty.\n'
    : `The chain of ${entries} entries is whole.\n  newest     ${newest}\n`;
}

function formatEntries(entries: readonly AuditEntryView[], width: number | null): string {
  if (entries.length === 0) return 'Nothing was found.\n';
  const columns = [
    { title: 'NO', align: 'right' as const },
    { title: 'AT' },
    { title: 'WHO', mayShrink: true },
    { title: 'FROM' },
    { title: 'WHAT' },
    { title: 'ORGANIZATION', mayShrink: true },
    { title: 'OBJECT', mayShrink: true },
    { title: 'REASON', mayShrink: true },
  ];
  const rows = entries.map(({ number, at, actor, action, organization, object, reason }) => ({
    cells: [
      String(number),
      at,
      actor.person ?? actor.kind,
      actor.address ?? '',
      action,
      organization ?? '',
      object === null ? '' : `${object.kind} ${object.name}`,
      reason ?? '',
    ],
  }));
  return formatTable(columns, rows, width);
}
