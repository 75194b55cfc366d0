/** `postern person …`: who may sign in to the running gateway, and with which roles. */
import type { Command } from 'commander';
import type { GrantView, InvitationView, PersonView } from '../../api/contract/people.ts';
import { Failure } from '../../mail/failure.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import { askPassword, readPassword } from '../ask-password.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { formatGrant, parseGrant } from '../grant-text.ts';
import { formatJson } from '../json-text.ts';
import { formatTable } from '../table.ts';

interface Options extends GatewayOptions {
  readonly json?: boolean;
  readonly reason?: string;
}

interface AddOptions extends Options {
  readonly role?: readonly string[];
  readonly displayName?: string;
  readonly oidcSubject?: string;
}

export function addPersonCommands(program: Command, context: CommandContext): void {
  const person = program
    .command('person')
    .summary('people who sign in, and their roles')
    .description(
      'Works on the people who may sign in to the HTTP API of the running gateway. Roles: gateway-administrator, organization-administrator, connector-administrator, auditor, help-desk; each for the whole gateway, or for one organization as role@organization.',
    );
  addList(person, context);
  addAdd(person, context);
  addGrants(person, context);
  addInvite(person, context);
  addPassword(person, context);
  addRemove(person, context);
}

/** A command with the options of all of them; `examples` without the name of the program. */
function define(command: Command, context: CommandContext, ...examples: string[]): Command {
  return withJsonOption(withGatewayOptions(command)).addHelpText(
    'after',
    formatExamples(context.offline.commandName, ...examples),
  );
}

function withReason(command: Command): Command {
  return command.option('--reason <text>', 'why, for the audit log');
}

function addList(person: Command, context: CommandContext): void {
  const command = person
    .command('list')
    .summary('list people, roles, and what they sign in with')
    .description('Lists everybody who may sign in, with roles and what they sign in with.');
  define(command, context, 'person list', 'person list --json').action(async (options: Options) => {
    const list = await (await connectGateway(context, options)).listPeople();
    const text = options.json ? formatJson(list) : formatPeople(list.people, context.width);
    await context.out.print(text);
  });
}

function addAdd(person: Command, context: CommandContext): void {
  const command = person
    .command('add')
    .argument('<name>', 'what is signed in with, in lower case')
    .option('--role <role...>', 'a role, or role@organization')
    .option('--display-name <text>', 'the name that is shown')
    .option('--oidc-subject <subject>', 'the `sub` of the person at the provider')
    .summary('add a person')
    .description(
      'Adds a person. Without --oidc-subject an invitation is made as well: a link by which the person chooses a password, once, within a day.',
    );
  define(
    withReason(command),
    context,
    'person add ada@contoso.com --role organization-administrator@contoso',
    'person add eve --role auditor --oidc-subject 248289761001',
  ).action(async (name: string, options: AddOptions) => {
    const client = await connectGateway(context, options);
    const added = await client.addPerson({
      name,
      displayName: options.displayName ?? null,
      grants: (options.role ?? []).map(parseGrant),
      oidcSubject: options.oidcSubject ?? null,
      reason: options.reason ?? null,
    });
    const invitation = options.oidcSubject === undefined ? await client.invite(added.name) : null;
    const text = options.json
      ? formatJson({ formatVersion: 1, person: added, invitation })
      : `${describePerson(added)}${invitation === null ? '' : describeInvitation(invitation)}`;
    await context.out.print(text);
  });
}

function addGrants(person: Command, context: CommandContext): void {
  const verbs = [
    {
      verb: 'grant',
      summary: 'give a person roles',
      about: 'Gives a person roles beside those that it has. Its sessions end.',
      next: (old: readonly GrantView[], given: readonly GrantView[]) => [...old, ...given],
    },
    {
      verb: 'revoke',
      summary: 'take roles from a person',
      about: 'Takes roles from a person, who keeps the others. Its sessions end.',
      next: (old: readonly GrantView[], given: readonly GrantView[]) => {
        const gone = new Set(given.map(formatGrant));
        const missing = given.find((each) => !old.map(formatGrant).includes(formatGrant(each)));
        if (missing === undefined) return old.filter((each) => !gone.has(formatGrant(each)));
        const has = old.map(formatGrant).join(', ') || 'none';
        const text = `the person has no role ${formatGrant(missing)}; there are: ${has}`;
        throw new Failure('option-wrong', text);
      },
    },
  ];
  for (const { verb, summary, about, next } of verbs) {
    const command = person
      .command(verb)
      .argument('<name>', 'the person')
      .argument('<role...>', 'a role, or role@organization')
      .summary(summary)
      .description(about);
    define(withReason(command), context, `person ${verb} ada@contoso.com help-desk@contoso`).action(
      async (name: string, texts: readonly string[], options: Options) => {
        const given = texts.map(parseGrant);
        const client = await connectGateway(context, options);
        const old = (await client.readPerson(name)).grants as readonly GrantView[];
        const reason = options.reason ?? null;
        const changed = await client.changePerson(name, { grants: next(old, given), reason });
        await printPerson(context, changed, options);
      },
    );
  }
}

function addInvite(person: Command, context: CommandContext): void {
  const command = person
    .command('invite')
    .argument('[name]', 'the person; without, the first administrator of a gateway without people')
    .summary('make a link by which a password is chosen')
    .description(
      'Makes a link by which a person chooses a password: once, within a day. An earlier link no longer counts.',
    );
  define(command, context, 'person invite', 'person invite ada@contoso.com').action(
    async (name: string | undefined, options: Options) => {
      const invitation = await (await connectGateway(context, options)).invite(name ?? null);
      const text = options.json
        ? formatJson({ formatVersion: 1, ...invitation })
        : describeInvitation(invitation);
      await context.out.print(text);
    },
  );
}

function addPassword(person: Command, context: CommandContext): void {
  const command = person
    .command('password')
    .argument('<name>', 'the person')
    .option('--password-stdin', 'take it from the first line of standard input')
    .option('--generate', 'make one and print it')
    .option('--remove', 'there is none any more')
    .option('--reset-second-factor', 'also take a lost authenticator away')
    .summary('set a password')
    .description(
      'Sets the password of a person, asked for on the terminal. Its sessions and tokens end.',
    );
  define(
    withReason(command),
    context,
    'person password ada@contoso.com --generate',
    'person password ada@contoso.com --reset-second-factor',
  ).action(async (name: string, options: PasswordOptions) => {
    const client = await connectGateway(context, options);
    const password = await choosePassword(context, options);
    const changed = await client.changePerson(name, {
      password,
      reason: options.reason ?? null,
      ...(options.resetSecondFactor === true ? { secondFactor: null } : {}),
    });
    const shown = options.generate === true && password !== null ? password : null;
    const text = options.json
      ? formatJson({ formatVersion: 1, person: changed, password: shown })
      : `${describePerson(changed)}${shown === null ? '' : `  password   ${shown}\n`}`;
    await context.out.print(text);
  });
}

interface PasswordOptions extends Options {
  readonly passwordStdin?: boolean;
  readonly generate?: boolean;
  readonly remove?: boolean;
  readonly resetSecondFactor?: boolean;
}

async function choosePassword(
  { stdin, err, offline }: CommandContext,
  { passwordStdin, generate, remove }: PasswordOptions,
): Promise<string | null> {
  if ([passwordStdin, generate, remove].filter((each) => each === true).length > 1) {
    const text = '--password-stdin, --generate and --remove are different ways: choose one';
    throw new Failure('option-wrong', text);
  }
  if (remove === true) return null;
  if (generate === true) return offline.passwords.generate();
  return passwordStdin === true ? readPassword(stdin) : askPassword(stdin, err, 'New password');
}

function addRemove(person: Command, context: CommandContext): void {
  const command = person
    .command('remove')
    .argument('<name>', 'the person')
    .summary('remove a person')
    .description('Removes a person, with all sessions and tokens. The audit log keeps the name.');
  define(withReason(command), context, 'person remove ada@contoso.com --reason "left"').action(
    async (name: string, options: Options) => {
      await (await connectGateway(context, options)).removePerson(name, options.reason);
      const text = `${sanitizePeerText(name)} was removed\n`;
      await context.out.print(
        options.json ? formatJson({ formatVersion: 1, removed: name }) : text,
      );
    },
  );
}

async function printPerson(
  context: CommandContext,
  person: PersonView,
  { json }: Options,
): Promise<void> {
  const text = json ? formatJson({ formatVersion: 1, person }) : describePerson(person);
  await context.out.print(text);
}

function waysOf({ hasPassword, hasSecondFactor, oidc }: PersonView): string {
  const ways = [
    ...(hasPassword ? [hasSecondFactor ? 'password and authenticator' : 'password'] : []),
    ...(oidc === null ? [] : ['provider']),
  ];
  return ways.length === 0 ? 'nothing yet' : ways.join(', ');
}

function formatPeople(people: readonly PersonView[], width: number | null): string {
  if (people.length === 0) return 'There is nobody. `postern person invite` makes the first.\n';
  const columns = [
    { title: 'NAME', mayShrink: true },
    { title: 'STATE' },
    { title: 'SIGNS IN WITH' },
    { title: 'LAST' },
    { title: 'ROLES', mayShrink: true },
  ];
  const rows = people.map((person) => ({
    cells: [
      person.name,
      person.isEnabled ? 'on' : 'off',
      waysOf(person),
      person.lastSignedInAt ?? 'never',
      person.grants.map(formatGrant).join(', ') || 'none',
    ],
  }));
  return formatTable(columns, rows, width);
}

function describePerson(person: PersonView): string {
  const lines = [
    `${person.name}${person.displayName === null ? '' : ` (${person.displayName})`}`,
    `  roles      ${person.grants.map(formatGrant).join(', ') || 'none'}`,
    `  signs in   with ${waysOf(person)}${person.isEnabled ? '' : '; switched off'}`,
  ];
  return lines.map((line) => `${sanitizePeerText(line)}\n`).join('');
}

function describeInvitation({ url, secret, expiresAt }: InvitationView): string {
  const where =
    url === null ? `  secret     ${secret} (there is no HTTPS listener)` : `  link       ${url}`;
  return `${where}\n  until      ${expiresAt}, once\n`;
}
