/** `postern cert show | import`: what our certificates are, and putting new ones in their place. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Failure } from '../../mail/failure.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import { formatCertificate } from '../certificate-text.ts';
import { configFileOf } from '../change-config.ts';
import type { CommandContext } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  requireOption,
  withJsonOption,
} from '../command-context.ts';
import { findConfigFile } from '../find-gateway.ts';
import { exitCode } from '../exit-code.ts';
import { formatJson } from '../json-text.ts';
import type { CertificateView, ImportedView } from '../offline-certificates.ts';
import { listAll } from '../policy-objects/open-policy-objects.ts';
import { reloadAfter, tellReload, withReloadOption } from '../reload-after.ts';
import type { ReloadOptions } from '../reload-after.ts';

interface ShowOptions {
  readonly config?: string;
  readonly profile?: string;
  readonly json?: boolean;
}

interface ImportOptions extends ReloadOptions {
  readonly name?: string;
  readonly chain?: readonly string[];
  readonly json?: boolean;
}

export function addCertCommands(program: Command, context: CommandContext): void {
  const cert = program
    .command('cert')
    .summary('work on our own certificates')
    .description('Works on our own certificates.');
  addShow(cert, context);
  addImport(cert, context);
}

function addShow(cert: Command, context: CommandContext): void {
  const command = cert
    .command('show')
    .summary('show certificates: ours, or those of a file')
    .description(
      'Shows the certificates of the configuration, one by its name, or those of any PEM file: names, dates with the days that are left, key and pin, whether the key fits, whether the chain leads to a known root, and who presents it.',
    )
    .argument(
      '[what]',
      'a name of the configuration, or a file; without it all that are configured',
    )
    .option('--config <file>', 'the configuration file')
    .option('--profile <name>', 'those in force on a gateway elsewhere, where it is written out');
  withJsonOption(command)
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'cert show',
        'cert show server',
        'cert show --profile clinic',
        'cert show ./new.pem',
      ),
    )
    .action(async (what: string | undefined, options: ShowOptions) => {
      const views =
        options.profile === undefined
          ? await readHere(context, what, options)
          : await askElsewhere(context, what, options);
      const text =
        options.json === true
          ? formatJson({ formatVersion: 1, certificates: views })
          : views.map((view) => formatCertificate(view, context.nowMs())).join('\n');
      await context.out.print(text === '' ? 'No certificates are configured.\n' : text);
    });
}

async function readHere(
  context: CommandContext,
  what: string | undefined,
  { config }: ShowOptions,
): Promise<readonly CertificateView[]> {
  const configFile =
    what === undefined
      ? await configFileOf(context, config)
      : await findConfigFile(config, context.surroundings);
  return context.offline.certificates.show({
    configFile,
    what: what === undefined ? null : { name: what, file: fileOf(context, what) },
  });
}

/** One by its name, or all. */
async function askElsewhere(
  context: CommandContext,
  what: string | undefined,
  options: ShowOptions,
): Promise<readonly CertificateView[]> {
  const client = await connectGateway(context, options);
  const all = what === undefined ? await listAll(client, 'certificate', null) : [{ name: what }];
  const views: CertificateView[] = [];
  for (const { name } of all) {
    const { formatVersion: _, ...view } = await client.readCertificate(name);
    views.push({ ...view, file: null });
  }
  return views;
}

function addImport(cert: Command, context: CommandContext): void {
  const command = cert
    .command('import')
    .summary("put a certificate and its key in the gateway's files")
    .description(
      'Takes a certificate, its key and its intermediates from PEM files, in any order: finds the certificate that fits the key, puts the chain in order and leaves the root out, refuses what is expired or does not fit, and then replaces the files that the configuration names, whole or not at all. A name that the configuration lacks gets a file in the data folder, and the lines to add are printed. Without a key the one that is there is kept, if it fits. A PKCS #12 archive must be unpacked by openssl first.',
    )
    .argument('<cert>', 'PEM file of the certificate; it may hold the chain and the key too')
    .argument('[key]', 'PEM file of the private key, unencrypted')
    .option('--name <name>', 'name of the certificate in the configuration (needed)')
    .option('--chain <file...>', 'more files with intermediates');
  withJsonOption(withReloadOption(command))
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'cert import --name server fullchain.pem privkey.pem',
        'cert import --name server new.pem --chain intermediates.pem',
      ),
    )
    .action(async (certificate: string, key: string | undefined, options: ImportOptions) => {
      const name = checkName(requireOption(options.name, '--name'));
      const configFile = await configFileOf(context, options.config);
      const files = [certificate, ...(key === undefined ? [] : [key]), ...(options.chain ?? [])];
      const imported = await context.offline.certificates.import({
        configFile,
        name,
        files: [...new Set(files.map((file) => fileOf(context, file)))],
      });
      // Files that the configuration does not name yet are in force by no reload.
      const wanted = imported.yaml === null ? options : { ...options, reload: false };
      if (options.json === true) {
        const reload = await reloadAfter(context, configFile, wanted);
        if (reload.kind === 'refused') context.setExitCode(exitCode.config);
        return context.out.print(formatJson({ formatVersion: 1, ...imported, reload }));
      }
      const isInFile =
        imported.yaml === null || (await context.offline.isPolicyOfFile(configFile, null));
      await context.out.print(formatImported(imported, isInFile, context.nowMs()));
      return tellReload(
        context,
        await reloadAfter(context, configFile, wanted),
        nextStep(imported, isInFile),
      );
    });
}

function fileOf(context: CommandContext, path: string): string {
  return resolve(context.surroundings.workingFolder, path);
}

/** It becomes the name of a folder, and a key in YAML. */
function checkName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(name)) return name;
  const text = `--name: "${name}" is not a name of letters, digits, ".", "_" and "-", at most 64`;
  throw new Failure('option-wrong', text);
}

function nextStep({ yaml }: ImportedView, isInFile: boolean): string {
  if (yaml === null) return 'A running gateway takes it on by itself within seconds.';
  if (isInFile) return 'Add the lines; then `postern config reload` puts it in force.';
  return 'Write the lines into a file of their own; `postern apply -f FILE` puts it in force.';
}

/** `isInFile`: certificates are named in the configuration file, and not kept by the gateway. */
function formatImported(
  { written, yaml, notes, view }: ImportedView,
  isInFile: boolean,
  nowMs: number,
): string {
  const lines = [...written.map((file) => `written: ${file}`), ...notes];
  const head = lines.map((line) => `${sanitizePeerText(line)}\n`).join('');
  const toAdd =
    yaml === null
      ? ''
      : `\n${isInFile ? 'The configuration does not name it yet. Add:' : 'The gateway keeps its policy, and does not know it yet. It takes:'}\n\n${yaml}\nand its name in serverCertificates, or in a connector's clientCertificate.\n`;
  return `${head}\n${formatCertificate(view, nowMs)}${toAdd}\n`;
}
