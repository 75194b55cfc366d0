/** `postern revision list | show | diff | rollback`: what changed in the policy, and the way back. */
import type { Command } from 'commander';
import type { RevisionView } from '../../api/contract/policy-objects.ts';
import { objectKinds } from '../../config/policy-object.ts';
import type { ObjectKey, ObjectKind } from '../../config/policy-object.ts';
import { Failure } from '../../mail/failure.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { countDifferences, formatDifferences } from '../difference-text.ts';
import { explainRefusal } from '../explain-refusal.ts';
import { formatJson } from '../json-text.ts';
import { formatTable } from '../table.ts';

interface Options extends GatewayOptions {
  readonly json?: boolean;
}

interface RollbackOptions extends Options {
  readonly object?: readonly string[];
  readonly reason?: string;
  readonly dryRun?: boolean;
}

export function addRevisionCommands(program: Command, context: CommandContext): void {
  const revision = program
    .command('revision')
    .summary('look at revisions of the policy, and go back')
    .description('Looks at the revisions of the policy of the running gateway, and goes back.');
  addList(revision, context);
  addShow(revision, context);
  addDiff(revision, context);
  addRollback(revision, context);
}

function finish(command: Command, context: CommandContext, ...examples: readonly string[]) {
  return withJsonOption(withGatewayOptions(command)).addHelpText(
    'after',
    formatExamples(context.offline.commandName, ...examples),
  );
}

function addList(parent: Command, context: CommandContext): void {
  const command = parent
    .command('list')
    .summary('list revisions, newest first')
    .description('Lists revisions of the policy, newest first: when, by whom, how, why.')
    .option('--before <number>', 'only those before this one', readNumber)
    .option('--limit <number>', 'at most so many, up to 1000', readNumber, 50);
  finish(command, context, 'revision list', 'revision list --before 40').action(
    async (options: Options & { readonly before?: number; readonly limit: number }) => {
      const { before, limit } = options;
      const client = await connectGateway(context, options);
      const page = before === undefined ? { limit } : { before, limit };
      const list = await client.listRevisions(page);
      const text =
        options.json === true ? formatJson(list) : formatList(list.revisions, context.width);
      await context.out.print(text);
    },
  );
}

function formatList(revisions: readonly RevisionView[], width: number | null): string {
  if (revisions.length === 0) return 'There is no revision.\n';
  const columns = [
    { title: 'REVISION' },
    { title: 'AT' },
    { title: 'HOW' },
    { title: 'BY', mayShrink: true },
    { title: 'REASON', mayShrink: true },
  ];
  const rows = revisions.map(({ revision, at, origin, by, reason }) => ({
    cells: [String(revision), at, origin, sanitizePeerText(by), sanitizePeerText(reason ?? '')],
  }));
  return formatTable(columns, rows, width);
}

function addShow(parent: Command, context: CommandContext): void {
  const command = parent
    .command('show')
    .summary('say what a revision changed')
    .description('Says what a revision changed, object by object and key by key.')
    .argument('<number>', 'the revision', readNumber);
  finish(command, context, 'revision show 9').action(async (number: number, options: Options) => {
    const client = await connectGateway(context, options);
    const detail = await client.readRevision(number);
    if (options.json === true) return context.out.print(formatJson(detail));
    const { at, by, origin, reason, differences } = detail;
    const why = reason === null ? '' : `, ${reason}`;
    const head = sanitizePeerText(`revision ${number}, ${at}, ${origin}, by ${by}${why}`);
    await context.out.print(
      `${head}\n\n${formatDifferences(differences) || 'No object changed.\n'}`,
    );
  });
}

function addDiff(parent: Command, context: CommandContext): void {
  const command = parent
    .command('diff')
    .summary('compare the policy of two revisions')
    .description('Says what is different between the policy of a revision and a later one.')
    .argument('<from>', 'the earlier revision; 0 is the empty policy', readNumber)
    .argument('[to]', 'the later one; without it what is in force', readNumber);
  finish(command, context, 'revision diff 4', 'revision diff 4 7').action(
    async (from: number, to: number | undefined, options: Options) => {
      const client = await connectGateway(context, options);
      const diff = await client.diffRevisions(from, to);
      const text = formatDifferences(diff.differences) || 'There is no difference.\n';
      await context.out.print(options.json === true ? formatJson(diff) : text);
    },
  );
}

function addRollback(parent: Command, context: CommandContext): void {
  const command = parent
    .command('rollback')
    .summary('put the policy of a revision in force again')
    .description(
      'Makes the policy what it was at a revision, all of it or the objects that are named; that is a new revision. What asks for less than the policy in force wants to know why (--reason).',
    )
    .argument('<number>', 'the revision', readNumber)
    .option(
      '--object <kind/organization/name...>',
      'only this one, as outbound-connector/contoso/bank; organizations and certificates without the middle',
    )
    .option('--reason <text>', 'why the policy is to ask for less; kept with the revision')
    .option('--dry-run', 'only say what would change');
  finish(
    command,
    context,
    'revision rollback 4 --dry-run',
    'revision rollback 4 --object outbound-connector/contoso/bank',
  ).action((number: number, options: RollbackOptions) => rollBack(context, number, options));
}

async function rollBack(
  context: CommandContext,
  number: number,
  { object, reason, dryRun = false, ...options }: RollbackOptions,
): Promise<void> {
  const objects = object === undefined ? null : object.map(readKey);
  const client = await connectGateway(context, options);
  const order = { objects, reason: reason ?? null, dryRun };
  const changed = await client.rollBack(number, order).catch((error: unknown) => {
    throw explainRefusal(error, { reason: '--reason' });
  });
  if (options.json === true) return context.out.print(formatJson(changed));
  const counts = countDifferences(changed.differences);
  const done =
    counts === ''
      ? 'Nothing is different from what is in force.'
      : dryRun
        ? `Would be ${counts}; nothing was changed.`
        : `In force as revision ${changed.revision} (policy ${changed.policyRevision}): ${counts}.`;
  await context.out.print(`${formatDifferences(changed.differences)}${done}\n`);
}

function readNumber(text: string): number {
  const number = Number(text);
  if (/^\d{1,9}$/.test(text)) return number;
  throw new Failure('option-wrong', `"${text}" is not a number of a revision`);
}

/** Names may hold a slash; the first two parts may not. */
function readKey(text: string): ObjectKey {
  const [kind = '', ...rest] = text.split('/');
  if (!objectKinds.includes(kind as ObjectKind) || rest.length === 0) {
    const wrong = `--object: "${text}" is not KIND/ORGANIZATION/NAME; kinds are ${objectKinds.join(', ')}`;
    throw new Failure('option-wrong', wrong);
  }
  const isOfGateway = kind === 'organization' || kind === 'certificate';
  const organization = isOfGateway ? null : rest[0]!;
  const name = (isOfGateway ? rest : rest.slice(1)).join('/');
  return { kind: kind as ObjectKind, organization, name };
}
