/**
 * Dialogues after the ideas of other projects' suites: chasquid's minor dialogs, OpenSMTPD's
 * smtpscript regression tests, and what the smuggling scanners try besides ends of a content (those
 * are in `smuggling-cases.ts`). Each says which ideas it covers; ours are stricter in places.
 *
 * In the language of `scenario.ts`, for a gateway with `dialogueLimits`.
 */

export interface DialogueCase {
  readonly name: string;
  /** `suite: case` of the other projects. */
  readonly covers: readonly string[];
  readonly dialogue: string;
  /** Messages to `user` that it brings into the mailbox; none where absent. */
  readonly delivers?: number;
}

export const dialogueLimits = { messageSize: '64KiB', recipientsMax: 100 };

const lines = (...all: readonly string[]): string => all.join('\n');
const greeted = lines('CONNECT mx', 'S: 220');
const hello = lines(greeted, 'C: EHLO client.sender.test', 'S: 250');
const helo = lines(greeted, 'C: HELO client.sender.test', 'S: 250');
const mail = lines(hello, 'C: MAIL FROM:<a@sender.test>', 'S: 250 2.1.0');
const rcpt = lines(mail, 'C: RCPT TO:<user@example.test>', 'S: 250 2.1.5');
const data = lines(rcpt, 'C: DATA', 'S: 354');
const signedIn = lines('CONNECT submissions', 'S: 220', 'C: EHLO client.sender.test', 'S: 250');
const isAlive = lines('C: NOOP', 'S: 250 2.0.0');

const rightPassword = Buffer.from('\0user\0correct horse battery').toString('base64');
const wrongPassword = Buffer.from('\0user\0incorrect').toString('base64');
const longLocal = 'a'.repeat(65);
const longDomain = `${'b'.repeat(63)}.`.repeat(4);

/** Refused senders: what is written behind FROM, and the reply. */
const badSenders: readonly (readonly [string, string])[] = [
  ['FROM:', '501 5.1.7'],
  ['FROM', '501 5.1.7'],
  ['LALA: <>', '501 5.1.7'],
  ['FROM: <@>', '501 5.1.7'],
  ['FROM: <a>', '501 5.1.7'],
  ['FROM: <a@>', '501 5.1.7'],
  ['FROM: <@a>', '501 5.1.7'],
  ['FROM: < @a>', '501 5.1.7'],
  ['FROM: <a@ >', '501 5.1.7'],
];
const badSenders2: readonly (readonly [string, string])[] = [
  ['FROM: <whatever:a@a>', '501 5.1.7'],
  ['FROM: <a:@a>', '501 5.1.7'],
  ['FROM:<a@xn--->', '501 5.1.7'],
  [`FROM:<${longLocal}@b.test>`, '501 5.1.7'],
  [`FROM:<a@${longDomain}test>`, '501 5.1.7'],
  ['FROM: <user@domain.test> OPT', '555 5.5.4'],
];
const badRecipients: readonly (readonly [string, string])[] = [
  ['TO:', '501 5.1.3'],
  ['LALA: <>', '501 5.1.3'],
  ['TO: <>', '501 5.1.3'],
  ['TO: <@>', '501 5.1.3'],
  ['TO: <a>', '501 5.1.3'],
  ['TO: <a@>', '501 5.1.3'],
  ['TO: <@a>', '501 5.1.3'],
  ['TO: < @a>', '501 5.1.3'],
  ['TO: <a@ >', '501 5.1.3'],
];
const badRecipients2: readonly (readonly [string, string])[] = [
  ['TO: <whatever:a@a>', '501 5.1.3'],
  ['TO: <a:@a>', '501 5.1.3'],
  ['TO:<a@xn--->', '501 5.1.3'],
  [`TO:<${longLocal}@b.test>`, '501 5.1.3'],
  [`TO:<a@${longDomain}test>`, '501 5.1.3'],
  // A Roman numeral four, in UTF-8, without SMTPUTF8.
  ['TO:<henry\\xe2\\x85\\xa3@example.test>', '553 5.6.7'],
];
const badRecipientOptions: readonly (readonly [string, string])[] = [
  'OPT',
  'SIZE=3005',
  'BODY=7BIT',
  'BODY=8BITMIME',
  'AUTH=WHATEVER',
].map((option) => [`TO: <user@example.test> ${option}`, '555 5.5.4']);

function each(verb: string, all: readonly (readonly [string, string])[]): string {
  return lines(
    ...all.flatMap(([argument, reply]) => [`C> ${verb} ${argument}\\r\\n`, `S: ${reply}`]),
  );
}

export const dialogueCases: readonly DialogueCase[] = [
  {
    name: 'the greeting comes, and QUIT ends the session at once',
    covers: ['smtpscript: welcome', 'smtpscript: quit', 'chasquid: helo'],
    dialogue: lines(greeted, 'C: QUIT', 'S: 221 2.0.0', 'END', helo, 'C: QUIT', 'S: 221', 'END'),
  },
  {
    name: 'a greeting without a name is refused, and one with it is not held against the client',
    covers: [
      'chasquid: empty_helo',
      'smtpscript: empty-helo',
      'smtpscript: empty-ehlo',
      'smtpscript: helo-with-space-only',
      'smtpscript: space-before-helo',
      'smtpscript: helo',
      'smtpscript: ehlo',
    ],
    dialogue: lines(
      greeted,
      'C: HELO',
      'S: 501 5.5.2',
      'C: EHLO',
      'S: 501 5.5.2',
      'C> HELO \\r\\n',
      'S: 501 5.5.2',
      'C>  HELO \\r\\n',
      'S: 500 5.5.1',
      'C: HELO l',
      'S: 250',
      'C: EHLO l',
      'S: 250',
    ),
  },
  {
    name: 'commands out of order are refused, and forgotten transactions stay forgotten',
    covers: [
      'chasquid: bad_data',
      'smtpscript: mail-before-helo',
      'smtpscript: rcpt-before-mail',
      'smtpscript: data-before-mail',
      'smtpscript: data-without-rcpt',
      'smtpscript: rset-forgets-rcpt',
      'smtpscript: data-after-rset-and-mail',
    ],
    dialogue: lines(
      greeted,
      'C: DATA',
      'S: 503 5.5.1',
      'C: MAIL FROM: <me@sender.test>',
      'S: 503 5.5.1',
      'C: HELO l',
      'S: 250',
      'C: RCPT TO:<user@example.test>',
      'S: 503 5.5.1',
      'C: DATA',
      'S: 503 5.5.1',
      'C: MAIL FROM:<me@sender.test>',
      'S: 250',
      'C: DATA',
      'S: 554 5.5.1',
      rcpt,
      'C: RSET',
      'S: 250',
      'C: DATA',
      'S: 503 5.5.1',
      'C: MAIL FROM:<me@sender.test>',
      'S: 250',
      'C: DATA',
      'S: 554 5.5.1',
    ),
  },
  {
    name: 'a transaction after RSET is a whole one',
    covers: ['smtpscript: transaction-after-rset'],
    dialogue: lines(
      rcpt,
      'C: RSET',
      'S: 250',
      'C: MAIL FROM:<b@sender.test>',
      'S: 250',
      'C: RCPT TO:<user@example.test>',
      'S: 250',
      'C: DATA',
      'S: 354',
      'C: Subject: after RSET',
      'C:',
      'C: .',
      'S: 250 2.0.0',
    ),
    delivers: 1,
  },
  {
    name: 'senders that are no path are refused',
    covers: [
      'chasquid: bad_mail_from',
      'smtpscript: mail-without-from',
      'smtpscript: mailfrom.at-sign',
      'smtpscript: mailfrom.no-at-sign',
      'smtpscript: mailfrom.no-domain',
      'smtpscript: mailfrom.no-user',
      'smtpscript: mailfrom.space-as-user',
      'smtpscript: mailfrom.space-as-domain',
      'smtpscript: mailfrom.src-route',
      'smtpscript: mailfrom.src-route-no-user',
      'smtpscript: mailfrom.option',
    ],
    dialogue: lines(helo, each('MAIL', badSenders), helo, each('MAIL', badSenders2), isAlive),
  },
  {
    name: 'senders that are a path are taken, the null one and a source route too',
    covers: ['smtpscript: mailfrom.empty', 'smtpscript: mailfrom.src-route'],
    dialogue: lines(
      hello,
      'C: MAIL FROM: <>',
      'S: 250',
      'C: RSET',
      'S: 250',
      'C: MAIL FROM:<@relay.test,@other.test:a@sender.test>',
      'S: 250',
    ),
  },
  {
    name: 'the parameters of MAIL are read, after HELO too',
    covers: [
      'smtpscript: mailfrom.option-size',
      'smtpscript: mailfrom.option-7bit',
      'smtpscript: mailfrom.option-8bitmime',
      'smtpscript: mailfrom.option-8bitmime-size',
      'smtpscript: mailfrom.option-auth',
      'smtpscript: size-after-ehlo',
      'smtpscript: size-after-helo',
    ],
    dialogue: lines(
      hello,
      ...['SIZE=3005', 'BODY=7BIT', 'BODY=8BITMIME', 'BODY=8BITMIME SIZE=100', 'AUTH=WHATEVER'].map(
        (option) =>
          lines(`C: MAIL FROM: <user@sender.test> ${option}`, 'S: 250', 'C: RSET', 'S: 250'),
      ),
      helo,
      'C: MAIL FROM:<a@sender.test> SIZE=1000',
      'S: 250',
    ),
  },
  {
    name: 'recipients that are no path are refused, and parameters that are none of RCPT',
    covers: [
      'chasquid: bad_rcpt_to',
      'smtpscript: rcpt-without-path',
      'smtpscript: rcptto.empty',
      'smtpscript: rcptto.at-sign',
      'smtpscript: rcptto.no-at-sign',
      'smtpscript: rcptto.no-domain',
      'smtpscript: rcptto.no-user',
      'smtpscript: rcptto.src-route',
      'smtpscript: rcptto.src-route-no-user',
      'smtpscript: rcptto.space-as-user',
      'smtpscript: rcptto.space-as-domain',
      'smtpscript: rcptto.option',
      'smtpscript: rcptto.option-size',
      'smtpscript: rcptto.option-7bit',
      'smtpscript: rcptto.option-8bitmime',
      'smtpscript: rcptto.option-8bitmime-size',
      'smtpscript: rcptto.option-auth',
    ],
    dialogue: lines(
      mail,
      each('RCPT', badRecipients),
      mail,
      each('RCPT', badRecipients2),
      mail,
      each('RCPT', badRecipientOptions),
      'C: RCPT TO: <@relay.test:user@example.test>',
      'S: 250 2.1.5',
    ),
  },
  {
    name: 'a message goes through, one command at a time',
    covers: ['chasquid: sendmail', 'smtpscript: transfer'],
    dialogue: lines(data, 'C: Subject: plain', 'C:', 'C: Boo.', 'C:', 'C: .', 'S: 250 2.0.0'),
    delivers: 1,
  },
  {
    name: 'a message goes through, pipelined, and so does one behind it in the same flight',
    covers: ['smtpscript: transfer-pipelined', 'smtpsmug: pipelining'],
    dialogue: lines(
      hello,
      ...['first', 'second'].flatMap((name) => [
        'C: MAIL FROM:<a@sender.test>',
        'C: RCPT TO:<user@example.test>',
        'C: DATA',
        `C: Subject: pipelined ${name}`,
        'C:',
        'C: .',
      ]),
      'C: QUIT',
      ...['250', '250', '354', '250 2.0.0', '250', '250', '354', '250 2.0.0', '221'].map(
        (reply) => `S: ${reply}`,
      ),
      'END',
    ),
    delivers: 2,
  },
  {
    name: 'a header that is none is content like any other',
    covers: ['chasquid: bad_data'],
    dialogue: lines(data, 'C: Subject: bad header', 'C: Bad header', 'C:', 'C: .', 'S: 250'),
    delivers: 1,
  },
  {
    name: 'dots that were put in are taken out, and no others',
    covers: ['chasquid: data_dot_stuffing'],
    dialogue: lines(
      data,
      'C: .Subject: stuffed',
      'C:',
      'C: .one',
      'C: ..two',
      'C: ..',
      'C: .',
      'S: 250 2.0.0',
    ),
    delivers: 1,
  },
  {
    name: 'a dot between bare line feeds refuses the message, whatever ends it',
    covers: ['chasquid: bad_data_dot', 'chasquid: bad_data_dot_2'],
    dialogue: lines(
      data,
      'C> Subject: x\\r\\n\\r\\nBoo.\\r\\n.\\nThat was none.\\r\\n.\\r\\n',
      'S: 550 5.6.11',
      data,
      'C> Subject: x\\r\\n\\r\\nxxx\\n.\\nThat was none.\\r\\n.\\r\\n',
      'S: 550 5.6.11',
      isAlive,
    ),
  },
  {
    name: 'a message too large is refused at its end, a lax end in its rest changes nothing',
    covers: ['chasquid: message_too_big', 'chasquid: bad_data_dot_on_message_too_big'],
    dialogue: lines(
      data,
      `C*80: ${'a'.repeat(898)}`,
      'C: .',
      'S: 552 5.3.4',
      data,
      `C*80: ${'a'.repeat(898)}`,
      'C> .\\nHELP\\r\\nHELP\\r\\n.\\r\\n',
      'S: 552 5.3.4',
      isAlive,
    ),
  },
  {
    name: 'a command line that never ends closes the session',
    covers: ['chasquid: line_too_long'],
    dialogue: lines(greeted, `C: HELO ${'a'.repeat(2100)}`, 'S: 500 5.5.2', 'END'),
  },
  {
    name: 'unknown commands are refused, and too many of them close the session',
    covers: ['chasquid: unknown_command', 'smtpscript: useless-commands'],
    dialogue: lines(hello, 'C*10: FOO #', 'S*10: 500 5.5.1', 'S: 421 4.7.0', 'END'),
  },
  {
    name: 'other protocols are sent away',
    covers: ['chasquid: wrong_proto'],
    dialogue: lines(
      ...['GET /evil', 'POST /evil', 'CONNECT www.evil.test:80'].map((request) =>
        lines(greeted, `C: ${request} HTTP/1.1`, 'C: Host: x', 'C:', 'S: 554 5.5.1', 'END'),
      ),
    ),
  },
  {
    name: 'sign-in takes no mechanism, encoding or password but the right ones, and one alone',
    covers: ['chasquid: auth_multi_dialog'],
    dialogue: lines(
      signedIn,
      'C: AUTH SOMETHINGELSE',
      'S: 504 5.5.4',
      'C: AUTH PLAIN',
      'S: 334',
      'C: dXNlcgB!lalala==',
      'S: 501',
      'C: AUTH PLAIN',
      'S: 334',
      `C: ${wrongPassword}`,
      'S: 535 5.7.8',
      'C: AUTH PLAIN',
      'S: 334',
      `C: ${rightPassword}`,
      'S: 235 2.7.0',
      'C: AUTH PLAIN',
      'S: 503 5.5.1',
    ),
  },
  {
    name: 'sign-in in clear is refused before a password is asked for',
    covers: ['chasquid: auth_not_tls'],
    dialogue: lines(
      'CONNECT submission',
      'S: 220',
      'C: EHLO c',
      'S: 250 without AUTH',
      'C: AUTH PLAIN',
      'S: 538 5.7.11',
    ),
  },
  {
    name: 'wrong passwords close the session at the third',
    covers: ['chasquid: auth_too_many_failures'],
    dialogue: lines(
      signedIn,
      ...['535 5.7.8', '535 5.7.8'].map((reply) =>
        lines(`C: AUTH PLAIN ${wrongPassword}`, `S: ${reply}`),
      ),
      `C: AUTH PLAIN ${wrongPassword}`,
      'S: 421 4.7.0',
      'END',
    ),
  },
  {
    name: 'recipients beyond the bound are answered for now',
    covers: ['smtpscript: too-many-rcpt'],
    dialogue: lines(
      mail,
      'C*100: RCPT TO:<user+#@example.test>',
      'S*100: 250 2.1.5',
      'C: RCPT TO:<user@example.test>',
      'S: 452 4.5.3',
    ),
  },
  {
    name: 'a session may bring many messages',
    covers: ['smtpscript: many-messages'],
    dialogue: lines(
      hello,
      ...Array.from({ length: 101 }, (_, index) =>
        lines(
          'C: MAIL FROM:<a@sender.test>',
          'C: RCPT TO:<user@example.test>',
          'C: DATA',
          'S: 250',
          'S: 250',
          'S: 354',
          `C: Subject: message ${index}`,
          'C:',
          'C: .',
          'S: 250 2.0.0',
        ),
      ),
    ),
    delivers: 101,
  },
  {
    name: 'under TLS the dialogue begins anew',
    covers: ['smtpscript: starttls'],
    dialogue: lines(hello, 'TLS', 'C: EHLO client.sender.test', 'S: 250 without STARTTLS'),
  },
  {
    name: 'NUL in front of a true end refuses that message; what follows is the client’s own',
    covers: ['lab: A7', 'lab: A10'],
    dialogue: lines(
      data,
      'C> Subject: x\\r\\n\\r\\nouter\\0\\r\\n.\\r\\nMAIL FROM:<b@sender.test>\\r\\nRCPT TO:<user@example.test>\\r\\nDATA\\r\\nSubject: own\\r\\n\\r\\n.\\r\\n',
      'S: 550 5.6.0',
      'S: 250',
      'S: 250',
      'S: 354',
      'S: 250 2.0.0',
    ),
    delivers: 1,
  },
  {
    name: 'NUL behind a true end makes the next command none, and what follows ends the session',
    covers: ['lab: A13'],
    dialogue: lines(
      data,
      'C> Subject: x\\r\\n\\r\\nouter\\r\\n.\\r\\n\\0MAIL FROM:<b@sender.test>\\r\\nRCPT TO:<user@example.test>\\r\\nDATA\\r\\nSubject: none\\r\\n\\r\\n.\\r\\n',
      'S: 250 2.0.0',
      'S: 500 5.5.2',
      'S: 503 5.5.1',
      'S: 503 5.5.1',
      'S: 421 4.5.0',
      'END',
    ),
    delivers: 1,
  },
];
