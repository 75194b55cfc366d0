/** `postern import exchange` and `postern import postfix`: moving in, without a gateway. */
import type { Command } from 'commander';
import type { SourceFile } from '../../config/move-in/decode-text.ts';
import type { Imported } from '../../config/move-in/import-exchange.ts';
import { importExchange } from '../../config/move-in/import-exchange.ts';
import { importPostfix } from '../../config/move-in/import-postfix.ts';
import { formatFlow } from '../../config/move-in/imported-flow.ts';
import { formatReport } from '../../config/move-in/move-report.ts';
import { isOrganizationId } from '../../config/move-in/organization-id.ts';
import { Failure } from '../../mail/failure.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import type { CommandContext } from '../command-context.ts';
import { formatExamples } from '../command-context.ts';
import { exitCode } from '../exit-code.ts';
import { formatJson } from '../json-text.ts';
import { printable } from '../printable.ts';
import { quoteShell } from '../quote-shell.ts';
import { readBeside, readImportFiles, writeResult } from '../read-import.ts';

interface ImportOptions {
  readonly output?: string;
  readonly report?: string;
  readonly organization?: string;
  readonly json?: boolean;
}

const outcome =
  'Writes organizations, connectors and rules as YAML, and a report with a line for each property: taken over, changed, not possible, or left out. Nothing comes out weaker than it was: what cannot be carried over safely is off. Exits with 2 where something was not possible.';

export function addImport(program: Command, context: CommandContext): void {
  const group = program
    .command('import')
    .summary('move in from Exchange or Postfix')
    .description('Moves in from Exchange or Postfix. No gateway is asked, and none is changed.');
  const { commandName } = context.offline;
  withImportOptions(
    group
      .command('exchange')
      .summary('what Get-InboundConnector and others print')
      .description(
        `Reads JSON or CSV of Get-InboundConnector, Get-OutboundConnector, Get-AcceptedDomain and Get-TransportRule; which cmdlet a file is from is told by its contents. ${outcome}`,
      )
      .argument('<files...>', 'what `… | ConvertTo-Json -Depth 4` or `… | Export-Csv` wrote'),
  )
    .addHelpText(
      'after',
      formatExamples(
        commandName,
        'import exchange inbound.json outbound.json domains.json rules.json --output flow.yaml',
        'import exchange connectors.json --organization contoso --json --report report.json',
      ),
    )
    .action(async (files: readonly string[], options: ImportOptions) => {
      const organization = readOrganization(options);
      const sources = await readImportFiles(context, files);
      await finish(context, importExchange(sources, organization), { files, options });
    });
  withImportOptions(
    group
      .command('postfix')
      .summary('main.cf and the tables that it names')
      .description(
        `Reads main.cf and the texts of its tables: smtp_tls_policy_maps, transport_maps, relay_clientcerts and others. Tables beside main.cf are found; others are named after it. ${outcome}`,
      )
      .argument('<main.cf>', 'its path; master.cf is not read')
      .argument('[maps...]', 'texts of tables that lie elsewhere'),
  )
    .addHelpText(
      'after',
      formatExamples(
        commandName,
        'import postfix /etc/postfix/main.cf --output flow.yaml',
        'import postfix main.cf maps/tls_policy --organization contoso --report report.txt',
      ),
    )
    .action(async (main: string, maps: readonly string[], options: ImportOptions) => {
      const organization = readOrganization(options);
      const [mainCf, ...files] = await readImportFiles(context, [main, ...maps]);
      const imported = await importWithTables(context, { mainCf: mainCf!, files, organization });
      await finish(context, imported, { files: [main, ...maps], options });
    });
}

function withImportOptions(command: Command): Command {
  return command
    .option('--organization <id>', 'the organization that it is for (default: of its first domain)')
    .option('--output <file>', 'a new file for the YAML, instead of standard output')
    .option('--report <file>', 'a new file for the report, instead of standard error')
    .option('--json', 'the report as JSON for programs');
}

function readOrganization({ organization }: ImportOptions): string | null {
  if (organization === undefined) return null;
  if (isOrganizationId(organization)) return organization;
  const text = `--organization: an id is of a-z, 0-9 and "-", not ${JSON.stringify(organization)}`;
  throw new Failure('option-wrong', text);
}

interface PostfixSources {
  readonly mainCf: SourceFile;
  readonly files: readonly SourceFile[];
  readonly organization: string | null;
}

/** Tables that were not named are looked for beside main.cf. */
async function importWithTables(
  context: CommandContext,
  { mainCf, files, organization }: PostfixSources,
): Promise<Imported> {
  const first = importPostfix({ mainCf, files }, organization);
  const found = await readBeside(context, mainCf.name, first.missing);
  if (found.length === 0) return first;
  return importPostfix({ mainCf, files: [...files, ...found] }, organization);
}

async function finish(
  context: CommandContext,
  { objects, report }: Imported,
  { files, options }: { readonly files: readonly string[]; readonly options: ImportOptions },
): Promise<void> {
  const source = report.source === 'exchange' ? 'Exchange' : 'Postfix';
  const head = [
    `From ${source}: ${sanitizePeerText(files.join(', '))}`,
    'What is changed, off or missing stands in the report of the import.',
  ];
  const text = options.json === true ? formatJson(report) : formatReport(report);
  await writeResult(context, {
    file: options.output,
    text: formatFlow(objects, head),
    print: (yaml) => context.out.print(yaml),
  });
  await writeResult(context, {
    file: options.report,
    text,
    print: (lines) => context.err.print(lines),
  });
  if (report.counts['not-possible'] > 0) context.setExitCode(exitCode.changes);
  await tellNext(context, text, options);
}

/** For whoever sees nothing of what was written. */
async function tellNext(
  context: CommandContext,
  report: string,
  { output, report: file, json }: ImportOptions,
): Promise<void> {
  if (output === undefined || file === undefined || json === true) return;
  const counts = report.trimEnd().split('\n').at(-1)!;
  const plan = `${context.offline.commandName} plan -f ${quoteShell(output)}`;
  const text = `${counts}: read ${file}, mend what it names, then say ${plan}`;
  await context.out.print(`${printable(text)}\n`);
}
