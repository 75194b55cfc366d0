/**
 * SMTP commands as data: parsing for the server session, formatting for the client.
 *
 * @see RFC 5321 §4.1.1, RFC 1870 §3 (SIZE), RFC 6152 §2 (BODY), RFC 4954 §4 (AUTH), RFC 3207 §4
 */
import type { Address, ReversePath } from '../mail/address.ts';
import { formatPath, parseAddress } from '../mail/address.ts';
import type { BodyType } from '../mail/envelope.ts';
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';

/**
 * `sizeBytes` and `bodyType` are null where the command does not declare them. A `recipient` of
 * null is the bare `<Postmaster>`. `initialResponse` is base64 as written, `=` for an empty one.
 */
export type Command =
  | { readonly kind: 'ehlo' | 'helo'; readonly name: string }
  | {
      readonly kind: 'mail';
      readonly reversePath: ReversePath;
      readonly sizeBytes: number | null;
      readonly bodyType: BodyType | null;
    }
  | { readonly kind: 'rcpt'; readonly recipient: Address | null }
  | { readonly kind: 'data' | 'rset' | 'quit' | 'starttls' }
  | { readonly kind: 'noop' | 'help' | 'vrfy' | 'expn'; readonly argument: string }
  | {
      readonly kind: 'auth';
      readonly mechanism: string;
      readonly initialResponse: string | null;
    };

/** A line that is no command of ours, with the reply that says so. */
export interface RefusedLine {
  readonly kind: 'unknown' | 'malformed';
  readonly reply: Reply;
}

const unknownCommand = reply(500, '5.5.1', 'command not recognized');
const controlCharacter = reply(500, '5.5.2', 'commands are printable ASCII and end in CRLF');
const noArgument = reply(501, '5.5.4', 'this command takes no argument');
const badHello = reply(501, '5.5.2', 'a domain name or address literal is needed');
const badSender = reply(501, '5.1.7', 'syntax is MAIL FROM:<address>');
const badRecipient = reply(501, '5.1.3', 'syntax is RCPT TO:<address>');
const badParameter = reply(555, '5.5.4', 'parameter not recognized or not offered');
const badParameterValue = reply(501, '5.5.4', 'bad value of a parameter');
const badAuth = reply(501, '5.5.4', 'syntax is AUTH mechanism [initial-response]');

const notPrintable = /[^\x20-\x7e]/;
const helloName = /^(?:[A-Za-z0-9_.-]+|\[[A-Za-z0-9:._-]+\])$/;
// A path may hold `>` only within quotes; the alternatives start with different characters.
const fromPath = /^FROM: *<((?:"(?:[^"\\]|\\.)*"|[^>"])*)>(?: +(.*))?$/i;
const toPath = /^TO: *<((?:"(?:[^"\\]|\\.)*"|[^>"])*)>(?: +(.*))?$/i;
const sourceRoute = /^@[^:]*:/;

/** The command of one line, given without its CRLF. Never throws; refusals carry their reply. */
export function parseCommand(line: string): Command | RefusedLine {
  if (notPrintable.test(line)) return malformed(controlCharacter);
  const text = line.trimEnd();
  const space = text.indexOf(' ');
  const verb = (space === -1 ? text : text.slice(0, space)).toUpperCase();
  const argument = space === -1 ? '' : text.slice(space + 1).trimStart();
  switch (verb) {
    case 'MAIL':
      return parseMail(argument);
    case 'RCPT':
      return parseRcpt(argument);
    case 'EHLO':
    case 'HELO':
      if (argument.length > 255 || !helloName.test(argument)) return malformed(badHello);
      return { kind: verb === 'EHLO' ? 'ehlo' : 'helo', name: argument };
    case 'DATA':
    case 'RSET':
    case 'QUIT':
    case 'STARTTLS':
      if (argument !== '') return malformed(noArgument);
      return { kind: verb.toLowerCase() as 'data' | 'rset' | 'quit' | 'starttls' };
    case 'NOOP':
    case 'HELP':
    case 'VRFY':
    case 'EXPN':
      return { kind: verb.toLowerCase() as 'noop' | 'help' | 'vrfy' | 'expn', argument };
    case 'AUTH':
      return parseAuth(argument);
    default:
      return { kind: 'unknown', reply: unknownCommand };
  }
}

function malformed(refusal: Reply): RefusedLine {
  return { kind: 'malformed', reply: refusal };
}

function parseMail(argument: string): Command | RefusedLine {
  const match = fromPath.exec(argument);
  if (match === null) return malformed(badSender);
  const reversePath = match[1] === '' ? null : parsePath(match[1]!);
  if (reversePath === null && match[1] !== '') return malformed(badSender);
  let sizeBytes: number | null = null;
  let bodyType: BodyType | null = null;
  for (const parameter of splitParameters(match[2])) {
    const [keyword, value] = splitParameter(parameter);
    if (keyword === 'SIZE') {
      if (sizeBytes !== null || !/^\d{1,20}$/.test(value)) return malformed(badParameterValue);
      sizeBytes = Number(value);
    } else if (keyword === 'BODY') {
      const type = value.toLowerCase();
      if (bodyType !== null || (type !== '7bit' && type !== '8bitmime')) {
        return malformed(badParameterValue);
      }
      bodyType = type;
    } else if (keyword !== 'AUTH' || value === '') {
      // The submitter of RFC 4954 §5 is taken and not used: we trust no peer's word for it.
      return malformed(badParameter);
    }
  }
  return { kind: 'mail', reversePath, sizeBytes, bodyType };
}

function parseRcpt(argument: string): Command | RefusedLine {
  const match = toPath.exec(argument);
  if (match === null) return malformed(badRecipient);
  if (splitParameters(match[2]).length > 0) return malformed(badParameter);
  if (match[1]!.toLowerCase() === 'postmaster') return { kind: 'rcpt', recipient: null };
  const recipient = parsePath(match[1]!);
  return recipient === null ? malformed(badRecipient) : { kind: 'rcpt', recipient };
}

/** A source route is accepted and ignored. @see RFC 5321 §4.1.1.3 */
function parsePath(text: string): Address | null {
  return parseAddress(text.startsWith('@') ? text.replace(sourceRoute, '') : text);
}

function splitParameters(text: string | undefined): readonly string[] {
  return text === undefined || text === '' ? [] : text.trim().split(/ +/);
}

function splitParameter(parameter: string): [keyword: string, value: string] {
  const equals = parameter.indexOf('=');
  if (equals === -1) return [parameter.toUpperCase(), ''];
  return [parameter.slice(0, equals).toUpperCase(), parameter.slice(equals + 1)];
}

function parseAuth(argument: string): Command | RefusedLine {
  const match = /^([A-Za-z0-9_-]{1,20})(?: +([A-Za-z0-9+/]*={0,2}))?$/.exec(argument);
  if (match === null) return malformed(badAuth);
  return { kind: 'auth', mechanism: match[1]!.toUpperCase(), initialResponse: match[2] ?? null };
}

/** The line of a command, without CRLF; `parseCommand` reads it back. */
export function formatCommand(command: Command): string {
  switch (command.kind) {
    case 'ehlo':
    case 'helo':
      return `${command.kind.toUpperCase()} ${command.name}`;
    case 'mail': {
      const size = command.sizeBytes === null ? '' : ` SIZE=${command.sizeBytes}`;
      const body = command.bodyType === null ? '' : ` BODY=${command.bodyType.toUpperCase()}`;
      return `MAIL FROM:${formatPath(command.reversePath)}${size}${body}`;
    }
    case 'rcpt':
      return `RCPT TO:${command.recipient === null ? '<Postmaster>' : formatPath(command.recipient)}`;
    case 'auth': {
      const initial = command.initialResponse === null ? '' : ` ${command.initialResponse}`;
      return `AUTH ${command.mechanism}${initial}`;
    }
    case 'noop':
    case 'help':
    case 'vrfy':
    case 'expn':
      return `${command.kind.toUpperCase()}${command.argument === '' ? '' : ` ${command.argument}`}`;
    case 'data':
    case 'rset':
    case 'quit':
    case 'starttls':
      return command.kind.toUpperCase();
  }
}
