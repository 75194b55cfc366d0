/** `postern profile add | list | remove`: gateways elsewhere, each under a name. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Failure } from '../../mail/failure.ts';
import type { CommandContext } from '../command-context.ts';
import { formatExamples, requireOption, withJsonOption } from '../command-context.ts';
import { formatJson } from '../json-text.ts';
import type { Profile } from '../profiles.ts';
import { editProfiles, profilesFile, readProfiles, settingsOf } from '../profiles.ts';
import { formatTable } from '../table.ts';

interface AddOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly pin?: string;
}

export function addProfileCommands(program: Command, context: CommandContext): void {
  const profile = program
    .command('profile')
    .summary('name gateways elsewhere')
    .description(
      'Names gateways elsewhere. Every command that speaks to a running gateway takes --profile NAME, or $POSTERN_PROFILE.',
    );
  addAdd(profile, context);
  addList(profile, context);
  addRemove(profile, context);
}

function addAdd(profile: Command, context: CommandContext): void {
  profile
    .command('add')
    .argument('<name>', 'a name of your choice')
    .summary('name a gateway, or change what a name means')
    .description(
      "Names a gateway: its address, the file with your token, and whom to believe that it is the gateway: the system's CAs, a CA of its own, or its public key. Nothing is asked of the gateway. The token stays in its file, which only you may read.",
    )
    .option('--url <url>', 'its address, such as https://gateway.example.com:8443 (needed)')
    .option('--token-file <file>', 'the file with your token (needed)')
    .option('--ca-file <file>', 'the CA that its certificate comes from, in PEM')
    .option('--pin <base64>', 'the SHA-256 of its public key, in the place of CA and name')
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'profile add clinic --url https://gateway.example.com:8443 --token-file ~/.clinic-token',
        'status --profile clinic',
      ),
    )
    .action((name: string, options: AddOptions) => add(context, name, options));
}

async function add(context: CommandContext, name: string, options: AddOptions): Promise<void> {
  const { surroundings } = context;
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name)) {
    throw new Failure(
      'option-wrong',
      `"${name}" is no name: letters, digits, . _ - and 64 at most`,
    );
  }
  const { caFile, pin } = options;
  if (caFile !== undefined && pin !== undefined) {
    throw new Failure('option-wrong', '--pin stands in the place of --ca-file: give one of them');
  }
  if (pin !== undefined && !/^[A-Za-z0-9+/]{43}=$/.test(pin)) {
    throw new Failure('option-wrong', '--pin: is no base64 of the SHA-256 of a public key');
  }
  const absolute = (file: string): string => resolve(surroundings.workingFolder, file);
  const profile: Profile = {
    url: requireOption(options.url, '--url'),
    tokenFile: absolute(requireOption(options.tokenFile, '--token-file')),
    ...(caFile === undefined ? {} : { caFile: absolute(caFile) }),
    ...(pin === undefined ? {} : { pin }),
  };
  await settingsOf(profile);
  await editProfiles(surroundings, (known) => ({ ...known, [name]: profile }));
  const file = profilesFile(surroundings);
  await context.out.print(`${name} is ${profile.url}; kept in ${file}.\n`);
}

function addList(profile: Command, context: CommandContext): void {
  const command = profile
    .command('list')
    .summary('list the named gateways')
    .description('Lists the named gateways. Nothing is asked of them.');
  withJsonOption(command)
    .addHelpText('after', formatExamples(context.offline.commandName, 'profile list'))
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      const profiles = await readProfiles(context.surroundings);
      const columns = [
        { title: 'NAME' },
        { title: 'URL' },
        { title: 'BELIEVED BY' },
        { title: 'TOKEN' },
      ];
      const rows = Object.entries(profiles).map(([name, { url, tokenFile, caFile, pin }]) => ({
        cells: [name, url, pin === undefined ? (caFile ?? "the system's CAs") : 'pin', tokenFile],
      }));
      const text = json
        ? formatJson({ formatVersion: 1, profiles })
        : formatTable(columns, rows, context.width);
      await context.out.print(text);
    });
}

function addRemove(profile: Command, context: CommandContext): void {
  profile
    .command('remove')
    .argument('<name>')
    .summary('forget a named gateway')
    .description('Forgets a named gateway. The file with the token stays.')
    .addHelpText('after', formatExamples(context.offline.commandName, 'profile remove clinic'))
    .action(async (name: string) => {
      await editProfiles(context.surroundings, (known) => {
        if (!Object.hasOwn(known, name)) {
          throw new Failure('profile-unknown', `there is no profile "${name}"`);
        }
        return Object.fromEntries(Object.entries(known).filter(([each]) => each !== name));
      });
      await context.out.print(`${name} is forgotten.\n`);
    });
}
