/** `postern export postfix`: outbound connectors as Postfix's policy and transport maps. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { PostfixExport } from '../../config/move-in/export-postfix.ts';
import { exportPostfix, formatPostfixExport } from '../../config/move-in/export-postfix.ts';
import type { PolicyObject } from '../../config/policy-object.ts';
import { formatProblem } from '../../config/problem.ts';
import { splitPolicy } from '../../config/split-policy.ts';
import { Failure } from '../../mail/failure.ts';
import { configFileOf } from '../change-config.ts';
import type { CommandContext } from '../command-context.ts';
import { formatExamples, withJsonOption } from '../command-context.ts';
import { exitCode } from '../exit-code.ts';
import { formatJson } from '../json-text.ts';

interface ExportOptions {
  readonly organization?: string;
  readonly json?: boolean;
}

export function addExportPostfix(group: Command, context: CommandContext): void {
  const command = group
    .command('postfix')
    .summary("outbound connectors as Postfix's tables")
    .description(
      'Prints the outbound connectors of a configuration file as lines of smtp_tls_policy_maps and transport_maps, with what belongs into main.cf. What Postfix has no words for stands in comments; then it exits with 2.',
    )
    .argument('[file]', 'the file; without it the one that serve would take')
    .option('--organization <id>', 'of this organization alone');
  withJsonOption(command)
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'export postfix /etc/postern/postern.yaml',
        'export postfix --organization contoso --json',
      ),
    )
    .action(async (file: string | undefined, options: ExportOptions) => {
      const exported = exportPostfix(choose(await readObjects(context, file), options));
      await context.out.print(format(exported, options));
      if (exported.remarks.length > 0) context.setExitCode(exitCode.changes);
    });
}

async function readObjects(
  context: CommandContext,
  named: string | undefined,
): Promise<readonly PolicyObject[]> {
  const file =
    named === undefined
      ? await configFileOf(context, undefined)
      : resolve(context.surroundings.workingFolder, named);
  const result = await context.offline.loadInForce(file);
  if (result.kind === 'refused') {
    const errors = result.problems.filter(({ severity }) => severity === 'error');
    throw new Failure('config-unusable', errors.map(formatProblem).join('\n'));
  }
  return splitPolicy(result.raw);
}

/** Of several organizations one must be named: each has its own routes. */
function choose(
  objects: readonly PolicyObject[],
  { organization }: ExportOptions,
): readonly PolicyObject[] {
  const ids = objects.filter(({ kind }) => kind === 'organization').map(({ name }) => name);
  const wanted = organization ?? (ids.length === 1 ? ids[0] : undefined);
  if (wanted === undefined || !ids.includes(wanted)) {
    const text = `--organization: name one of ${ids.join(', ')}`;
    throw new Failure('option-wrong', text);
  }
  return objects.filter((object) => object.organization === wanted);
}

function format(exported: PostfixExport, { json }: ExportOptions): string {
  return json === true
    ? formatJson({ formatVersion: 1, ...exported })
    : formatPostfixExport(exported);
}
