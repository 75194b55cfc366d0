/** `postern token create | list | revoke`: API tokens of people and services. */
import type { Command } from 'commander';
import type { TokenView } from '../../api/contract/tokens.ts';
import { tokenAddSchema, tokenDaysDefault, tokenPermissions } from '../../api/contract/tokens.ts';
import { Failure } from '../../mail/failure.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  requireOption,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { formatJson } from '../json-text.ts';
import { formatTable } from '../table.ts';

interface Options extends GatewayOptions {
  readonly json?: boolean;
}

interface CreateOptions extends Options {
  readonly name?: string;
  readonly permission?: readonly string[];
  readonly organization?: string;
  readonly expiresInDays?: string;
}

export function addTokenCommands(program: Command, context: CommandContext): void {
  const token = program
    .command('token')
    .summary('API tokens')
    .description(
      'Works on API tokens. A token belongs to a person and may never do more than that person; a service gets a person of its own, without a password.',
    );
  addCreate(token, context);
  addList(token, context);
  addRevoke(token, context);
}

function addCreate(token: Command, context: CommandContext): void {
  const command = token
    .command('create')
    .argument('<person>', 'whose it is')
    .option('--name <text>', 'what it is for')
    .option('--permission <permission...>', `what it may do: ${tokenPermissions.join(', ')}`)
    .option('--organization <id>', 'the only organization that it reaches')
    .option('--expires-in-days <days>', 'from 1 to 366', String(tokenDaysDefault))
    .summary('make a token, and print it once')
    .description('Makes a token for a person. Its secret is printed this once and kept nowhere.');
  withJsonOption(withGatewayOptions(command))
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'token create ci@contoso.com --name monitoring --permission status.read queue.read',
      ),
    )
    .action(async (person: string, options: CreateOptions) => {
      const order = tokenAddSchema.safeParse({
        person,
        name: requireOption(options.name, '--name'),
        permissions: requireOption(options.permission, '--permission'),
        organization: options.organization ?? null,
        expiresInDays: Number(options.expiresInDays),
      });
      if (!order.success) {
        const { path, message } = order.error.issues[0]!;
        throw new Failure('option-wrong', `${path.map(String).join('.')}: ${message}`);
      }
      const made = await (await connectGateway(context, options)).addToken(order.data);
      const text = options.json ? formatJson({ formatVersion: 1, ...made }) : `${made.secret}\n`;
      await context.out.print(text);
      if (options.json !== true) await context.err.print(describeToken(made));
    });
}

function addList(token: Command, context: CommandContext): void {
  const command = token
    .command('list')
    .argument('[person]', 'only those of this person')
    .summary('list tokens')
    .description('Lists tokens, without their secrets.');
  withJsonOption(withGatewayOptions(command))
    .addHelpText('after', formatExamples(context.offline.commandName, 'token list'))
    .action(async (person: string | undefined, options: Options) => {
      const list = await (await connectGateway(context, options)).listTokens(person);
      const text = options.json ? formatJson(list) : formatTokens(list.tokens, context);
      await context.out.print(text);
    });
}

function addRevoke(token: Command, context: CommandContext): void {
  const command = token
    .command('revoke')
    .argument('<id>', 'as `token list` tells it')
    .summary('revoke a token')
    .description('Revokes a token: it counts no more from its next request on.');
  withJsonOption(withGatewayOptions(command))
    .addHelpText('after', formatExamples(context.offline.commandName, 'token revoke 3vUq0aZ1kPsT'))
    .action(async (id: string, options: Options) => {
      await (await connectGateway(context, options)).removeToken(id);
      const text = `token ${sanitizePeerText(id)} was revoked\n`;
      await context.out.print(options.json ? formatJson({ formatVersion: 1, revoked: id }) : text);
    });
}

function describeToken({ id, person, expiresAt }: TokenView): string {
  return `${sanitizePeerText(`token ${id} of ${person}, until ${expiresAt}; it is shown this once`)}\n`;
}

function formatTokens(tokens: readonly TokenView[], { width, nowMs }: CommandContext): string {
  if (tokens.length === 0) return 'There are no tokens.\n';
  const columns = [
    { title: 'ID' },
    { title: 'PERSON', mayShrink: true },
    { title: 'NAME', mayShrink: true },
    { title: 'UNTIL' },
    { title: 'LAST USED' },
    { title: 'MAY', mayShrink: true },
  ];
  const rows = tokens.map((token) => ({
    cells: [
      token.id,
      token.person,
      token.name,
      Date.parse(token.expiresAt) <= nowMs() ? 'expired' : token.expiresAt,
      token.lastUsedAt ?? 'never',
      `${token.permissions.join(', ')}${token.organization === null ? '' : ` in ${token.organization}`}`,
    ],
  }));
  return formatTable(columns, rows, width);
}
