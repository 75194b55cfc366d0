/** Dialogues after the ideas of other projects' suites, and proof that no idea was left out. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dialogueCases, dialogueLimits } from '../support/dialogue-cases.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup } from '../support/gateway-config.ts';
import { speak } from '../support/scenario.ts';
import { smugglingCases } from '../support/smuggling-cases.ts';

let gateway: RunningGateway;

before(async () => {
  const top = { limits: dialogueLimits, timeouts: { server: { greetingDelay: '0' } } };
  const acceptedDomains = [{ domain: 'example.test' }];
  gateway = await startGateway(
    await gatewaySetup({ top, organization: { acceptedDomains, addressExtension: '+' } }),
  );
});
after(async () => {
  await gateway?.stop();
  await gateway?.remove();
});

for (const { name, dialogue } of dialogueCases) {
  test(name, { timeout: 30_000 }, () => speak(gateway, dialogue));
}

test('the mailbox holds what the dialogues brought, and nothing else', async () => {
  const count = dialogueCases.reduce((sum, { delivers = 0 }) => sum + delivers, 0);
  const messages = (await gateway.waitForMail('user', count)).map(String);
  assert.equal(messages.length, count);
  const stuffed = messages.find((message) => message.includes('Subject: stuffed\r\n'));
  assert.ok(stuffed?.endsWith('\r\n\r\none\r\n.two\r\n.\r\n'), stuffed);
});

/** The cases of the other suites by name; smtpscript's that have none are named after what they do. */
const ideas: Readonly<Record<string, string>> = {
  chasquid: `auth_multi_dialog auth_not_tls auth_too_many_failures bad_data bad_data_dot
    bad_data_dot_2 bad_data_dot_on_message_too_big bad_mail_from bad_rcpt_to data_dot_stuffing
    empty_helo helo line_too_long message_too_big sendmail unknown_command wrong_proto`,
  smtpscript: `mailfrom.empty mailfrom.at-sign mailfrom.no-at-sign mailfrom.no-domain
    mailfrom.no-user mailfrom.src-route mailfrom.src-route-no-user mailfrom.space-as-user
    mailfrom.space-as-domain mailfrom.option mailfrom.option-size mailfrom.option-7bit
    mailfrom.option-8bitmime mailfrom.option-8bitmime-size mailfrom.option-auth rcptto.empty
    rcptto.at-sign rcptto.no-at-sign rcptto.no-domain rcptto.no-user rcptto.src-route
    rcptto.src-route-no-user rcptto.space-as-user rcptto.space-as-domain rcptto.option
    rcptto.option-size rcptto.option-7bit rcptto.option-8bitmime rcptto.option-8bitmime-size
    rcptto.option-auth welcome quit empty-helo empty-ehlo helo ehlo mail-before-helo transfer
    transfer-pipelined useless-commands too-many-rcpt many-messages helo-with-space-only
    space-before-helo rcpt-before-mail data-before-mail mail-without-from data-without-rcpt
    rcpt-without-path rset-forgets-rcpt data-after-rset-and-mail transaction-after-rset
    size-after-ehlo size-after-helo starttls`,
  smtpsmug: 'pipelining',
  lab: 'A7 A10 A13',
};

test('each idea of the other suites has a dialogue, and each dialogue an idea', () => {
  const wanted = Object.entries(ideas).flatMap(([suite, names]) =>
    names.split(/\s+/).map((name) => `${suite}: ${name}`),
  );
  const covered = new Set(dialogueCases.flatMap(({ covers }) => covers));
  assert.deepEqual([...covered].sort(), wanted.sort());
  assert.deepEqual(
    dialogueCases.filter(({ covers }) => covers.length === 0),
    [],
  );
});

test('each end that a smuggling scanner tries is a case of the smuggling test', () => {
  const scanners: Readonly<Record<string, readonly string[]>> = {
    'SMTP-Smuggling-Tools': [
      '\n.\n', '\n.\r', '\r.\n', '\r.\r', '\n.\r\n', '\r.\r\n', '\r\n.\r\r\n', '\r\r\n.\r\r\n', '\r\n\0.\r\n',
    ], // prettier-ignore
    smtpsmug: [
      '\n.\n', '\r.\r', '\r.\n', '\n.\r', '\n.\r\n', '\r\n.\n', '\r.\r\n', '\r\n.\r', '\r\n\0.\r\n', '\r\n.\0\r\n',
    ], // prettier-ignore
    // A7, A10 and A13 hold a true end: dialogues above.
    'smtp-smuggling-lab': [
      '\n.\n', '\n.\r\n', '\r.\r', '\r.\r\n', '\r\n.\n', '\r\n.\r', '\r\n\0.\r\n', '\r\0\n.\r\n', '\r\n.\0\r\n', '\r\n.\r\0\n',
    ], // prettier-ignore
  };
  const ours = new Set(smugglingCases.map(({ bytes }) => bytes));
  for (const [scanner, ends] of Object.entries(scanners)) {
    for (const end of ends) assert.ok(ours.has(end), `${scanner}: ${JSON.stringify(end)}`);
  }
});
