/**
 * The replies that the server session gives on its own, without asking anybody.
 *
 * @see RFC 5321 §4.2.2, RFC 3463 §3
 */
import { reply } from '../mail/reply.ts';

export const serverReplies = {
  ok: reply(250, '2.0.0', 'ok'),
  bye: reply(221, '2.0.0', 'goodbye'),
  help: reply(214, '2.0.0', 'EHLO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP QUIT, see RFC 5321'),
  verify: reply(252, '2.0.0', 'cannot verify, send some mail and it will be judged at RCPT'),
  expand: reply(502, '5.5.1', 'EXPN is not implemented'),
  bareLineFeed: reply(500, '5.5.2', 'command lines end in CRLF, this one ended in a bare LF'),
  notUtf8: reply(500, '5.5.2', 'this command is not UTF-8'),
  lineTooLong: reply(500, '5.5.2', 'command line too long'),
  earlyTalk: reply(554, '5.5.1', 'you spoke before the greeting'),
  wrongProtocol: reply(554, '5.5.1', 'this is an SMTP server'),
  helloFirst: reply(503, '5.5.1', 'EHLO or HELO first'),
  nestedMail: reply(503, '5.5.1', 'a transaction is open already'),
  undeclaredUtf8: reply(553, '5.6.7', 'an address beyond ASCII needs SMTPUTF8 in MAIL'),
  contentBegun: reply(503, '5.5.1', 'the content has begun with BDAT: go on with BDAT, or RSET'),
  mailFirst: reply(503, '5.5.1', 'MAIL first'),
  noRecipients: reply(554, '5.5.1', 'no valid recipients'),
  tooManyRecipients: reply(452, '4.5.3', 'too many recipients, send the rest separately'),
  declaredTooLarge: reply(552, '5.3.4', 'the declared size exceeds what this server takes'),
  chunkTooLarge: reply(552, '5.3.4', 'the message is larger than this server takes, closing'),
  chunkLineBroken: reply(
    500,
    '5.5.2',
    'BDAT lines end in CRLF, this one ended in a bare LF, closing',
  ),
  tooLarge: reply(552, '5.3.4', 'the message is larger than this server takes'),
  bareLineBreak: reply(550, '5.6.11', 'the content has a bare CR or LF; lines end in CRLF'),
  longLine: reply(550, '5.6.0', 'the content has a line longer than this server takes'),
  nulByte: reply(550, '5.6.0', 'the content has a NUL byte'),
  commandsAfterData: reply(421, '4.5.0', 'text after a refused DATA, closing'),
  tlsUnavailable: reply(502, '5.5.1', 'STARTTLS is not available here'),
  tlsAlready: reply(503, '5.5.1', 'TLS is active already'),
  textAfterStartTls: reply(554, '5.5.1', 'text after STARTTLS, closing'),
  authUnavailable: reply(502, '5.5.1', 'AUTH is not available here'),
  authNeedsTls: reply(538, '5.7.11', 'encryption is needed for authentication, STARTTLS first'),
  authAlready: reply(503, '5.5.1', 'you are authenticated already'),
  authInTransaction: reply(503, '5.5.1', 'AUTH is not allowed within a transaction'),
  authMechanism: reply(504, '5.5.4', 'this mechanism is not available'),
  tooManyErrors: reply(421, '4.7.0', 'too many errors, closing'),
  tooManyCommands: reply(421, '4.7.0', 'too many commands without a message, closing'),
} as const;
