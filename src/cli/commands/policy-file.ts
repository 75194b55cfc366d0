/** `postern export | plan | apply`: the policy as a file that can be kept, compared and put in force. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { ApiClient } from '../../api/client.ts';
import type { ChangedView, ChangesOrderInput } from '../../api/contract/policy-objects.ts';
import { formatConfig } from '../../config/format-config.ts';
import { Failure } from '../../mail/failure.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  requireOption,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { confirm } from '../confirm.ts';
import { countDifferences, formatDifferences } from '../difference-text.ts';
import { exitCode } from '../exit-code.ts';
import { explainRefusal } from '../explain-refusal.ts';
import { flowChanges } from '../flow/flow-changes.ts';
import type { Flow } from '../flow/read-flow.ts';
import { readFlow } from '../flow/read-flow.ts';
import { replayFlow } from '../flow/replay-flow.ts';
import { resolveSecrets } from '../flow/resolve-secrets.ts';
import { formatJson } from '../json-text.ts';
import { printable } from '../printable.ts';
import { readDays } from '../read-recorded-mail.ts';

interface FlowOptions extends GatewayOptions {
  readonly file?: string;
  readonly prune?: boolean;
  readonly pruneOrganizations?: boolean;
  readonly json?: boolean;
}

interface PlanOptions extends FlowOptions {
  readonly days: number;
  readonly replay: boolean;
}

interface ApplyOptions extends FlowOptions {
  readonly reason?: string;
  readonly yes?: boolean;
}

/** What `export` is, for other forms of the policy. */
export function addPolicyFileCommands(program: Command, context: CommandContext): Command {
  addPlan(program, context);
  addApply(program, context);
  return addExport(program, context);
}

function addExport(program: Command, context: CommandContext): Command {
  const command = program
    .command('export')
    .summary('print the policy as a file')
    .description(
      'Prints organizations with everything in them, and certificates, as YAML that `postern plan` and `postern apply` take. The same policy always gives the same bytes. Password hashes are left out; what is left out is kept when the file is applied.',
    );
  return withJsonOption(withGatewayOptions(command))
    .addHelpText(
      'after',
      formatExamples(context.offline.commandName, 'export > flow.yaml', 'export --json'),
    )
    .action(async (options: GatewayOptions & { readonly json?: boolean }) => {
      const client = await connectGateway(context, options);
      const document = await client.readPolicy();
      const text =
        options.json === true ? formatJson(document) : formatConfig(document.policy, false);
      await context.out.print(text);
    });
}

function withFlowOptions(command: Command): Command {
  return withJsonOption(withGatewayOptions(command))
    .option('-f, --file <flow.yaml>', 'the policy file (needed)')
    .option('--prune', 'remove what the file does not have, of the organizations that it names')
    .option('--prune-organizations', 'remove organizations that the file does not name');
}

function addPlan(program: Command, context: CommandContext): void {
  const command = program
    .command('plan')
    .summary('say what a policy file would change')
    .description(
      'Says what `postern apply` would change in the running gateway, object by object and key by key, what the policy would ask for less, what is wrong, and what it would have done to the recorded mail of the last days. Nothing is changed. Exits with 2 if something would change.',
    );
  withFlowOptions(command)
    .option('--days <number>', 'how many days of recorded mail to judge', readDays, 7)
    .option('--no-replay', 'leave recorded mail alone')
    .addHelpText(
      'after',
      formatExamples(context.offline.commandName, 'plan -f flow.yaml', 'plan -f flow.yaml --prune'),
    )
    .action((options: PlanOptions) => plan(context, options));
}

function addApply(program: Command, context: CommandContext): void {
  const command = program
    .command('apply')
    .summary('put a policy file in force')
    .description(
      'Makes the policy of the running gateway what the file says, in one step: all of it or nothing. What the file does not have stays, unless --prune says otherwise. A policy that asks for less than the one in force wants to know why (--reason).',
    );
  withFlowOptions(command)
    .option('--reason <text>', 'why the policy is to ask for less; kept with the revision')
    .option('--yes', 'do not ask on the terminal')
    .addHelpText(
      'after',
      formatExamples(context.offline.commandName, 'apply -f flow.yaml', 'apply -f flow.yaml --yes'),
    )
    .action((options: ApplyOptions) => apply(context, options));
}

interface Prepared {
  readonly client: ApiClient;
  readonly flow: Flow;
  readonly changes: ChangesOrderInput['changes'];
  /** Of the policy that they were worked out on. */
  readonly atRevision: number;
}

async function prepare(context: CommandContext, options: FlowOptions): Promise<Prepared> {
  const { workingFolder, env } = context.surroundings;
  const file = requireOption(options.file, '--file');
  const path = resolve(workingFolder, file);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Failure('flow-unreadable', `${file}: ${why}`, { cause });
  });
  const written = readFlow(text, file);
  const flow = { ...written, objects: await resolveSecrets(written.objects, path, env) };
  const client = await connectGateway(context, options);
  const { prune = false, pruneOrganizations = false } = options;
  const present = await client.readPolicy();
  const changes = flowChanges(flow, present, { prune, pruneOrganizations });
  return { client, flow, changes, atRevision: present.revision };
}

/** What is put in force is what was shown, or nothing. */
async function ask(prepared: Prepared, order: Pick<ChangesOrderInput, 'dryRun' | 'reason'>) {
  const { client, flow, changes, atRevision } = prepared;
  try {
    return await client.changePolicy({ ...order, changes, atRevision });
  } catch (error) {
    throw explainRefusal(error, { reason: '--reason', describe: flow.describe });
  }
}

async function plan(context: CommandContext, options: PlanOptions): Promise<void> {
  const prepared = await prepare(context, options);
  const changed = await ask(prepared, { dryRun: true });
  const isSame = changed.differences.length === 0;
  const replayed =
    isSame || !options.replay
      ? null
      : await replayFlow(context, prepared.client, options, prepared.changes);
  context.setExitCode(isSame ? exitCode.ok : exitCode.changes);
  if (options.json === true) {
    return context.out.print(formatJson({ ...changed, replay: replayed?.json ?? null }));
  }
  const would = isSame
    ? 'Nothing would change.\n'
    : `\nWould be ${countDifferences(changed.differences)}; nothing was changed.\n`;
  const recorded = replayed === null ? '' : `\n${replayed.text}`;
  await context.out.print(`${describe(changed, prepared.flow)}${would}${recorded}`);
}

async function apply(context: CommandContext, options: ApplyOptions): Promise<void> {
  const prepared = await prepare(context, options);
  const { reason = null } = options;
  const planned = await ask(prepared, { dryRun: true });
  const isSame = planned.differences.length === 0;
  if (!isSame && options.yes !== true && context.stdin.isTTY === true) {
    await context.err.print(describe(planned, prepared.flow));
    await confirm(context, `Put this in force (${countDifferences(planned.differences)})?`);
  }
  const changed = isSame ? planned : await ask(prepared, { reason });
  if (options.json === true) return context.out.print(formatJson(changed));
  const done = isSame
    ? `Nothing to change; the policy is at revision ${changed.revision}.\n`
    : `In force as revision ${changed.revision} (policy ${changed.policyRevision}): ${countDifferences(changed.differences)}.\n`;
  await context.out.print(
    `${options.yes === true || context.stdin.isTTY !== true ? describe(changed, prepared.flow) : ''}${done}`,
  );
}

function describe({ differences, weaker, warnings }: ChangedView, flow: Flow): string {
  const asks = weaker.map((each) => `asks for less: ${printable(each)}\n`).join('');
  const warned = warnings.map((each) => `${printable(flow.describe(each))}\n`).join('');
  return `${formatDifferences(differences)}${asks === '' ? '' : `\n${asks}`}${warned === '' ? '' : `\n${warned}`}`;
}
