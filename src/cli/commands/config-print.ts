/** `postern config print`: the configuration that is in force, or that of a file, as it acts. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { ConfigView } from '../../api/contract/config.ts';
import type { ConfigValues } from '../../config/effective-config.ts';
import { effectiveConfig } from '../../config/effective-config.ts';
import { formatConfig } from '../../config/format-config.ts';
import { formatProblem } from '../../config/problem.ts';
import { Failure } from '../../mail/failure.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import { configFileOf } from '../change-config.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { formatJson } from '../json-text.ts';

interface PrintOptions extends GatewayOptions {
  readonly defaults?: boolean;
  readonly withSecrets?: boolean;
  readonly json?: boolean;
}

/** `head` says in words where the values are from; the other fields are for programs. */
interface Printed {
  readonly head: string;
  readonly source: 'gateway' | 'file';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly values: ConfigValues;
  /** Null where there is nothing to say. */
  readonly remark: string | null;
}

export function addConfigPrint(config: Command, context: CommandContext): void {
  const command = config
    .command('print')
    .summary('print the configuration that is in force, or that of a file')
    .description(
      'Prints what the running gateway has in force, with its revision, and says so where the file differs by now. With FILE, or where no gateway runs, that of the file. It is YAML that loads again, its keys in the order of docs/config.md; password hashes are left out.',
    )
    .argument('[file]', 'a file that loads; without it what is in force')
    .option('--defaults', 'also write what was left out, with its default and what each key means')
    .option('--with-secrets', 'password hashes as they are; only with FILE');
  withJsonOption(withGatewayOptions(command))
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'config print',
        'config print --defaults ./postern.yaml',
      ),
    )
    .action(async (file: string | undefined, options: PrintOptions) => {
      const printed = await choose(context, file, options);
      if (printed.remark !== null) await context.err.print(`postern: ${printed.remark}\n`);
      const isJson = options.json === true;
      await context.out.print(isJson ? toJson(printed) : toText(printed, options));
    });
}

async function choose(
  context: CommandContext,
  file: string | undefined,
  options: PrintOptions,
): Promise<Printed> {
  if (file !== undefined) {
    const path = resolve(context.surroundings.workingFolder, file);
    return fromFile(context, path, { options, why: 'no gateway asked' });
  }
  if (options.withSecrets === true) {
    const text = '--with-secrets needs FILE: a running gateway gives no secrets away';
    throw new Failure('option-wrong', text);
  }
  try {
    const client = await connectGateway(context, options);
    const query = options.defaults === true ? { defaults: 'true' as const } : {};
    return fromGateway(await client.readConfig(query));
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'gateway-not-running') throw error;
    // Named by its socket, a gateway is meant and nothing else.
    if (options.socket !== undefined) throw error;
    const path = await configFileOf(context, options.config);
    return fromFile(context, path, { options, why: 'no gateway runs' });
  }
}

function fromGateway(view: ConfigView): Printed {
  const { config, fileState, formatVersion: _formatVersion, ...fields } = view;
  const { file, configRevision, policyRevision, loadedAt } = fields;
  return {
    source: 'gateway',
    head: `In force since ${loadedAt}: configuration ${configRevision}, policy ${policyRevision}, from ${file}`,
    fields: { ...fields, fileState },
    values: config,
    remark: remarkOf(file, fileState),
  };
}

function remarkOf(file: string, state: ConfigView['fileState']): string | null {
  const shown = sanitizePeerText(file);
  switch (state) {
    case 'same':
      return null;
    case 'differs':
      return `${shown} was changed since and is not in force: \`postern config reload\` puts it in force`;
    case 'needs-restart':
      return `${shown} was changed since and is not in force: a restart puts it in force, a reload cannot`;
    case 'refused':
      return `${shown} as it is now cannot be put in force: \`postern config check\` says why`;
  }
}

async function fromFile(
  context: CommandContext,
  file: string,
  { options, why }: { readonly options: PrintOptions; readonly why: string },
): Promise<Printed> {
  const result = await context.offline.loadInForce(file);
  if (result.kind === 'refused') {
    const errors = result.problems.filter(({ severity }) => severity === 'error');
    throw new Failure('config-unusable', errors.map(formatProblem).join('\n'));
  }
  const values = effectiveConfig(result.raw, {
    withDefaults: options.defaults === true,
    withSecrets: options.withSecrets === true,
  });
  const { revision: policyRevision } = result.policy;
  const head = `${file}, policy ${policyRevision} (${why})`;
  return { source: 'file', head, fields: { file, policyRevision }, values, remark: null };
}

function toJson({ source, fields, values }: Printed): string {
  return formatJson({ formatVersion: 1, source, ...fields, config: values });
}

function toText({ head, values }: Printed, { defaults }: PrintOptions): string {
  return `# ${sanitizePeerText(head)}\n${formatConfig(values, defaults === true)}`;
}
