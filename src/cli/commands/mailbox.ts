/** `postern mailbox list | add | passwd`: mailboxes in the configuration file. */
import type { Command } from 'commander';
import { addMailbox, setPasswordHash } from '../../config/edit-mailboxes.ts';
import type { LoadResult } from '../../config/load.ts';
import { loadConfig } from '../../config/load.ts';
import { findNearest } from '../../config/nearest.ts';
import { formatProblem } from '../../config/problem.ts';
import { formatAddress, parseAddress } from '../../mail/address.ts';
import type { Address } from '../../mail/address.ts';
import { Failure } from '../../mail/failure.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import { findDomainOwner } from '../../policy/directory.ts';
import type { Policy } from '../../policy/policy.ts';
import { askPassword, readPassword } from '../ask-password.ts';
import type { Loaded } from '../change-config.ts';
import { changeConfig, configFileOf } from '../change-config.ts';
import type { CommandContext } from '../command-context.ts';
import { formatExamples, withJsonOption } from '../command-context.ts';
import { formatJson } from '../json-text.ts';
import { reloadAfter, tellReload, withReloadOption } from '../reload-after.ts';
import type { ReloadOptions } from '../reload-after.ts';
import { formatTable } from '../table.ts';

const unasked = 'A running gateway takes it on with `postern config reload`.';

interface AddOptions extends PasswordOptions {
  readonly organization?: string;
}

interface PasswordOptions extends ReloadOptions {
  readonly passwordStdin?: boolean;
  readonly generate?: boolean;
  readonly withoutPassword?: boolean;
}

export function addMailboxCommands(program: Command, context: CommandContext): void {
  const mailbox = program
    .command('mailbox')
    .summary('work on mailboxes')
    .description('Works on the mailboxes in the configuration file.');
  addList(mailbox, context);
  addAdd(mailbox, context);
  addPasswd(mailbox, context);
}

function addList(mailbox: Command, context: CommandContext): void {
  const command = mailbox
    .command('list')
    .summary('list the mailboxes of the configuration')
    .description('Lists the mailboxes of the configuration file, and who of them can sign in.')
    .option('--config <file>', 'the configuration file');
  withJsonOption(command)
    .addHelpText('after', formatExamples(context.offline.commandName, 'mailbox list'))
    .action(async (options: { readonly config?: string; readonly json?: boolean }) => {
      const file = await configFileOf(context, options.config);
      const rows = rowsOf(whole(await context.offline.loadInForce(file)));
      const text =
        options.json === true
          ? formatJson({ formatVersion: 1, mailboxes: rows })
          : formatRows(rows, context.width);
      await context.out.print(text);
    });
}

interface MailboxRow {
  readonly organization: string;
  readonly account: string;
  readonly addresses: readonly string[];
  readonly canSignIn: boolean;
}

/** What stands in the file alone: these commands edit it. */
async function load(file: string): Promise<Loaded> {
  return whole(await loadConfig(file));
}

function whole(result: LoadResult): Loaded {
  if (result.kind === 'loaded') return result;
  const problem = result.problems.find((each) => each.severity === 'error');
  const first = problem === undefined ? 'it does not load' : formatProblem(problem);
  throw new Failure('config-unusable', `the configuration cannot be used: ${first}`);
}

function rowsOf({ config, policy }: Loaded): MailboxRow[] {
  return policy.organizations.flatMap(({ id, mailboxes }) =>
    mailboxes.map(({ account, addresses }) => ({
      organization: id,
      account,
      addresses: addresses.map(formatAddress),
      canSignIn: config.credentials.some(
        (each) => each.organization === id && each.account === account,
      ),
    })),
  );
}

function formatRows(rows: readonly MailboxRow[], width: number | null): string {
  if (rows.length === 0) return 'There are no mailboxes.\n';
  const isShared = rows.some(({ organization }) => organization !== rows[0]!.organization);
  const columns = [
    ...(isShared ? [{ title: 'ORGANIZATION' }] : []),
    { title: 'ACCOUNT' },
    { title: 'SIGN-IN' },
    { title: 'ADDRESSES', mayShrink: true },
  ];
  const body = rows.map(({ organization, account, addresses, canSignIn }) => ({
    cells: [
      ...(isShared ? [organization] : []),
      account,
      canSignIn ? 'yes' : 'no',
      addresses.join(', '),
    ],
  }));
  return formatTable(columns, body, width);
}

const howEdited =
  'The file is edited in place, its comments kept, and only if the gateway would take the result.';

function addAdd(mailbox: Command, context: CommandContext): void {
  const command = mailbox
    .command('add')
    .summary('add a mailbox to the configuration')
    .description(
      `Adds a mailbox and asks for its password on the terminal. The first address is the primary one; all must lie in accepted domains. ${howEdited}`,
    )
    .argument('<account>', 'name to sign in with; also the name of the Maildir')
    .argument('<address...>', 'mail addresses, the primary one first')
    .option('--without-password', 'nobody can sign in to it; it takes mail only')
    .option('--organization <id>', 'whose mailbox it is; without it the domain says so');
  withPasswordOptions(command)
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'mailbox add ann ann@example.test ann.smith@example.test',
        'mailbox add scanner scanner@example.test --generate',
      ),
    )
    .action(async (account: string, addresses: readonly string[], options: AddOptions) => {
      const file = await configFileOf(context, options.config);
      const parsed = addresses.map(checkAddress);
      const written = parsed.map(formatAddress);
      const before = await load(file);
      refuseKnown(rowsOf(before), account);
      placeOf(before.policy, parsed[0]!, options.organization);
      const password = await takePassword(context, account, options);
      const passwordHash =
        password === null ? null : await context.offline.passwords.hash(password);
      await changeConfig(context, file, (loaded, text) => {
        refuseKnown(rowsOf(loaded), account);
        const place = placeOf(loaded.policy, parsed[0]!, options.organization);
        return addMailbox(text, { place, account, addresses: written, passwordHash });
      });
      await context.out.print(`${file}: mailbox ${sanitizePeerText(account)} was added\n`);
      await tellReload(context, await reloadAfter(context, file, options), unasked);
    });
}

function addPasswd(mailbox: Command, context: CommandContext): void {
  const command = mailbox
    .command('passwd')
    .summary('set the password of a mailbox')
    .description(
      `Sets the password of a mailbox, asked for on the terminal and kept as argon2id hash. ${howEdited}`,
    )
    .argument('<account>', 'name to sign in with, or an address of the mailbox');
  withPasswordOptions(command)
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'mailbox passwd ann',
        'mailbox passwd ann --reload',
      ),
    )
    .action(async (name: string, options: PasswordOptions) => {
      const file = await configFileOf(context, options.config);
      const account = findAccount(rowsOf(await load(file)), name);
      const password = await takePassword(context, account, options);
      const passwordHash = await context.offline.passwords.hash(password!);
      await changeConfig(context, file, (loaded, text) =>
        setPasswordHash(text, findAccount(rowsOf(loaded), account), passwordHash),
      );
      await context.out.print(`${file}: ${sanitizePeerText(account)} has a new password\n`);
      await tellReload(context, await reloadAfter(context, file, options), unasked);
    });
}

function withPasswordOptions(command: Command): Command {
  command
    .option('--password-stdin', 'take the password from standard input, one line')
    .option('--generate', 'make a random password and print it once');
  return withReloadOption(command);
}

/** Null for a mailbox without sign-in. A generated one is printed before anything is changed. */
async function takePassword(
  context: CommandContext,
  account: string,
  options: PasswordOptions,
): Promise<string | null> {
  const { passwordStdin = false, generate = false, withoutPassword = false } = options;
  if (Number(passwordStdin) + Number(generate) + Number(withoutPassword) > 1) {
    const text = '--password-stdin, --generate and --without-password exclude one another';
    throw new Failure('option-wrong', text);
  }
  if (withoutPassword) return null;
  if (passwordStdin) return readPassword(context.stdin);
  if (!generate) return askPassword(context.stdin, context.err, `Password of ${account}`);
  const password = context.offline.passwords.generate();
  await context.out.print(`password: ${password}\n`);
  return password;
}

/** Where in the file the organization stands: as named, the only one, or the domain's. */
function placeOf(policy: Policy, primary: Address, id: string | undefined): number {
  const { organizations } = policy;
  if (id !== undefined) {
    const place = organizations.findIndex((each) => each.id === id);
    if (place !== -1) return place;
    const known = organizations.map((each) => each.id).join(', ');
    throw new Failure('option-wrong', `--organization: there is no ${id}; there are: ${known}`);
  }
  if (organizations.length === 1) return 0;
  const owner = findDomainOwner(policy, primary.domain);
  if (owner !== null) return organizations.indexOf(owner.organization);
  const text = `no organization accepts ${primary.domain}: name the one with --organization, and add the domain to its acceptedDomains`;
  throw new Failure('option-wrong', text);
}

function checkAddress(text: string): Address {
  const address = parseAddress(text);
  if (address !== null) return address;
  throw new Failure('option-wrong', `"${text}" is not a mail address`);
}

function refuseKnown(rows: readonly MailboxRow[], account: string): void {
  const known = rows.find((row) => isName(row.account, account));
  if (known === undefined) return;
  const text = `there is a mailbox ${known.account} already (${known.addresses.join(', ')})`;
  throw new Failure('mailbox-exists', text);
}

/** The account itself, of a name in any case or one of its addresses. */
function findAccount(rows: readonly MailboxRow[], name: string): string {
  const row =
    rows.find(({ account }) => isName(account, name)) ??
    rows.find(({ addresses }) => addresses.some((address) => isName(address, name)));
  if (row !== undefined) return row.account;
  const nearest = findNearest(
    name,
    rows.flatMap(({ account, addresses }) => [account, ...addresses]),
  );
  const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
  throw new Failure('mailbox-unknown', `there is no mailbox ${name}${hint}`);
}

function isName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
