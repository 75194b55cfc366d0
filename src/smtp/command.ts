/**
 * SMTP commands as data: parsing for the server session, formatting for the client.
 *
 * @see RFC 5321 §4.1.1, RFC 1870 §3 (SIZE), RFC 6152 §2 (BODY), RFC 4954 §4 (AUTH), RFC 3207 §4,
 *   RFC 3030 §2 (BDAT), RFC 3461 §4 (DSN), RFC 6531 §3.4 (SMTPUTF8)
 */
import type { Address, ReversePath } from '../mail/address.ts';
import { formatPath, parseUtf8Address } from '../mail/address.ts';
import type { BodyType, DsnRequest } from '../mail/envelope.ts';
import type { RecipientRequest } from '../mail/recipient.ts';
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import {
  formatEnvelopeId,
  formatNotify,
  formatOriginalRecipient,
  formatRet,
  parseEnvelopeId,
  parseNotify,
  parseOriginalRecipient,
  parseRet,
  originalRecipientLengthMax,
} from './dsn-parameters.ts';

/** What MAIL says of the message; null where it does not declare it. */
export interface MailCommand {
  readonly kind: 'mail';
  readonly reversePath: ReversePath;
  readonly sizeBytes: number | null;
  readonly bodyType: BodyType | null;
  readonly smtpUtf8: boolean;
  readonly dsn: DsnRequest | null;
}

/** A `recipient` of null is the bare `<Postmaster>`. */
export interface RcptCommand {
  readonly kind: 'rcpt';
  readonly recipient: Address | null;
  readonly request: RecipientRequest;
  /** Characters beyond ASCII were written, which only SMTPUTF8 allows. */
  readonly hasUtf8: boolean;
}

/** `initialResponse` is base64 as written, `=` for an empty one. */
export type Command =
  | { readonly kind: 'ehlo' | 'helo'; readonly name: string }
  | MailCommand
  | RcptCommand
  /** `sizeBytes` octets follow the line. */
  | { readonly kind: 'bdat'; readonly sizeBytes: number; readonly isLast: boolean }
  | { readonly kind: 'data' | 'rset' | 'quit' | 'starttls' }
  | { readonly kind: 'noop' | 'help' | 'vrfy' | 'expn'; readonly argument: string }
  | {
      readonly kind: 'auth';
      readonly mechanism: string;
      readonly initialResponse: string | null;
    };

/**
 * A line that is no command of ours, with the reply that says so. `unframed`: nobody can tell where
 * the next command begins, so that the dialogue must end.
 */
export interface RefusedLine {
  readonly kind: 'unknown' | 'malformed' | 'unframed';
  readonly reply: Reply;
}

const unknownCommand = reply(500, '5.5.1', 'command not recognized');
const controlCharacter = reply(500, '5.5.2', 'commands are printable ASCII and end in CRLF');
const undeclaredUtf8 = reply(553, '5.6.7', 'an address beyond ASCII needs SMTPUTF8 in MAIL');
const noArgument = reply(501, '5.5.4', 'this command takes no argument');
const badHello = reply(501, '5.5.2', 'a domain name or address literal is needed');
const badSender = reply(501, '5.1.7', 'syntax is MAIL FROM:<address>');
const badRecipient = reply(501, '5.1.3', 'syntax is RCPT TO:<address>');
const badChunk = reply(501, '5.5.4', 'syntax is BDAT size [LAST], closing');
const badParameter = reply(555, '5.5.4', 'parameter not recognized or not offered');
const badParameterValue = reply(501, '5.5.4', 'bad value of a parameter');
const badAuth = reply(501, '5.5.4', 'syntax is AUTH mechanism [initial-response]');

const control = /[\x00-\x1f\x7f]/;
const nonAscii = /[^\x00-\x7f]/;
/** Commands whose argument may be UTF-8. @see RFC 6531 §3.3, §3.7.4.2 */
const utf8Verbs = new Set(['MAIL', 'RCPT', 'VRFY', 'EXPN']);
const helloName = /^(?:[A-Za-z0-9_.-]+|\[[A-Za-z0-9:._-]+\])$/;
// A path may hold `>` only within quotes; the alternatives start with different characters.
const fromPath = /^FROM: *<((?:"(?:[^"\\]|\\.)*"|[^>"])*)>(?: +(.*))?$/i;
const toPath = /^TO: *<((?:"(?:[^"\\]|\\.)*"|[^>"])*)>(?: +(.*))?$/i;
const sourceRoute = /^@[^:]*:/;
const chunkSize = /^(\d{1,15})(?: +(LAST))?$/i;

/** The command of one line, given without its CRLF. Never throws; refusals carry their reply. */
export function parseCommand(line: string): Command | RefusedLine {
  const text = withoutTrailingSpaces(line);
  const space = text.indexOf(' ');
  const verb = (space === -1 ? text : text.slice(0, space)).toUpperCase();
  const argument = space === -1 ? '' : text.slice(space + 1).replace(/^ +/, '');
  if (control.test(line) || (nonAscii.test(line) && !utf8Verbs.has(verb))) {
    return verb === 'BDAT' ? unframed() : malformed(controlCharacter);
  }
  switch (verb) {
    case 'MAIL':
      return parseMail(argument);
    case 'RCPT':
      return parseRcpt(argument);
    case 'BDAT':
      return parseBdat(argument);
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

/** Spaces only: what else counts as white space in Unicode is no white space of SMTP. */
function withoutTrailingSpaces(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === ' ') end--;
  return text.slice(0, end);
}

function malformed(refusal: Reply): RefusedLine {
  return { kind: 'malformed', reply: refusal };
}

function unframed(): RefusedLine {
  return { kind: 'unframed', reply: badChunk };
}

function parseMail(argument: string): MailCommand | RefusedLine {
  const match = fromPath.exec(argument);
  if (match === null) return malformed(badSender);
  const reversePath = match[1] === '' ? null : parsePath(match[1]!);
  if (reversePath === null && match[1] !== '') return malformed(badSender);
  const parameters = readParameters(match[2]);
  if ('reply' in parameters) return parameters;
  const command = readMailParameters(reversePath, parameters);
  if ('reply' in command || command.smtpUtf8) return command;
  return nonAscii.test(match[1]!) ? malformed(undeclaredUtf8) : command;
}

function readMailParameters(
  reversePath: ReversePath,
  parameters: Parameters,
): MailCommand | RefusedLine {
  for (const [keyword, value] of parameters) {
    if (!mailKeywords.has(keyword)) return malformed(badParameter);
    const hasValue = value !== null && !nonAscii.test(value);
    if (keyword === 'SMTPUTF8' ? value !== null : !hasValue) return malformed(badParameterValue);
  }
  const sizeBytes = valueOf(parameters, 'SIZE', parseSize);
  const bodyType = valueOf(parameters, 'BODY', parseBodyType);
  const ret = valueOf(parameters, 'RET', parseRet);
  const envelopeId = valueOf(parameters, 'ENVID', parseEnvelopeId);
  if (sizeBytes === wrong || bodyType === wrong || ret === wrong || envelopeId === wrong) {
    return malformed(badParameterValue);
  }
  const dsn = ret === null && envelopeId === null ? null : { ret, envelopeId };
  const smtpUtf8 = parameters.has('SMTPUTF8');
  return { kind: 'mail', reversePath, sizeBytes, bodyType, smtpUtf8, dsn };
}

type Parameters = ReadonlyMap<string, string | null>;

/** The submitter of AUTH (RFC 4954 §5) is taken and not used: we trust no peer's word for it. */
const mailKeywords = new Set(['SIZE', 'BODY', 'SMTPUTF8', 'RET', 'ENVID', 'AUTH']);
const wrong = Symbol('a value that cannot be read');

/** Null where the parameter is not given. */
function valueOf<T>(
  parameters: Parameters,
  keyword: string,
  read: (value: string) => T | null,
): T | null | typeof wrong {
  const value = parameters.get(keyword) ?? null;
  return value === null ? null : (read(value) ?? wrong);
}

function parseSize(value: string): number | null {
  return /^\d{1,20}$/.test(value) ? Math.min(Number(value), Number.MAX_SAFE_INTEGER) : null;
}

function parseBodyType(value: string): BodyType | null {
  const type = value.toLowerCase();
  return type === '7bit' || type === '8bitmime' ? type : null;
}

function parseRcpt(argument: string): RcptCommand | RefusedLine {
  const match = toPath.exec(argument);
  if (match === null) return malformed(badRecipient);
  const isPostmaster = match[1]!.toLowerCase() === 'postmaster';
  const recipient = isPostmaster ? null : parsePath(match[1]!);
  if (recipient === null && !isPostmaster) return malformed(badRecipient);
  const parameters = readParameters(match[2]);
  if ('reply' in parameters) return parameters;
  const request = readRcptParameters(parameters);
  if ('reply' in request) return request;
  return { kind: 'rcpt', recipient, request, hasUtf8: nonAscii.test(argument) };
}

function readRcptParameters(parameters: Parameters): RecipientRequest | RefusedLine {
  let request: RecipientRequest = {};
  for (const [keyword, value] of parameters) {
    if (keyword === 'NOTIFY') {
      const notify = value === null || nonAscii.test(value) ? null : parseNotify(value);
      if (notify === null) return malformed(badParameterValue);
      request = { ...request, notify };
    } else if (keyword === 'ORCPT') {
      const originalRecipient = value === null ? null : parseOriginalRecipient(value);
      if (originalRecipient === null) return malformed(badParameterValue);
      request = { ...request, originalRecipient };
    } else {
      return malformed(badParameter);
    }
  }
  return request;
}

function parseBdat(argument: string): Command | RefusedLine {
  const match = chunkSize.exec(argument);
  if (match === null) return unframed();
  return { kind: 'bdat', sizeBytes: Number(match[1]), isLast: match[2] !== undefined };
}

/** A source route is accepted and ignored. @see RFC 5321 §4.1.1.3 */
function parsePath(text: string): Address | null {
  return parseUtf8Address(text.startsWith('@') ? text.replace(sourceRoute, '') : text);
}

/** By keyword in upper case; null for one without a value. No keyword comes twice. */
function readParameters(text: string | undefined): Parameters | RefusedLine {
  const parameters = new Map<string, string | null>();
  for (const parameter of text === undefined ? [] : text.split(' ')) {
    if (parameter === '') continue;
    const equals = parameter.indexOf('=');
    const keyword = equals === -1 ? parameter : parameter.slice(0, equals);
    if (!/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(keyword)) return malformed(badParameter);
    const known = keyword.toUpperCase();
    if (parameters.has(known)) return malformed(badParameterValue);
    parameters.set(known, equals === -1 ? null : parameter.slice(equals + 1));
  }
  return parameters;
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
      const utf8 = command.smtpUtf8 ? ' SMTPUTF8' : '';
      const dsn = formatDsnRequest(command.dsn);
      return `MAIL FROM:${formatPath(command.reversePath)}${size}${body}${utf8}${dsn}`;
    }
    case 'rcpt': {
      const { recipient, request } = command;
      const path = recipient === null ? '<Postmaster>' : formatPath(recipient);
      return `RCPT TO:${path}${formatRecipientRequest(request)}`;
    }
    case 'bdat':
      return `BDAT ${command.sizeBytes}${command.isLast ? ' LAST' : ''}`;
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

/** RET and ENVID as they follow MAIL, each with a space before it; for servers that offer DSN. */
export function formatDsnRequest(dsn: DsnRequest | null): string {
  const ret = dsn === null || dsn.ret === null ? '' : ` RET=${formatRet(dsn.ret)}`;
  const id = dsn?.envelopeId ?? null;
  return id === null ? ret : `${ret} ENVID=${formatEnvelopeId(id)}`;
}

/**
 * NOTIFY and ORCPT as they follow RCPT, each with a space before it; for servers that offer DSN. An
 * ORCPT that its ASCII form makes too long is left out: for it a server could refuse the recipient.
 */
export function formatRecipientRequest({ notify, originalRecipient }: RecipientRequest): string {
  const words = notify === undefined ? '' : ` NOTIFY=${formatNotify(notify)}`;
  if (originalRecipient === undefined) return words;
  const written = formatOriginalRecipient(originalRecipient);
  return written.length > originalRecipientLengthMax ? words : `${words} ORCPT=${written}`;
}
