/**
 * Two organizations on one gateway, alike in every name: neither sends as the other, routes through
 * it, acts on its mail or learns of it.
 */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { waitFor } from '../support/ports.ts';
import { queueIdIn, refusalIdIn } from '../support/submit.ts';
import type { Client, OrganizationName, TwoOrganizations } from '../support/two-organizations.ts';
import {
  idsIn,
  mailWith,
  openClient,
  ours,
  partners,
  sendAs,
  servers,
  startTwoOrganizations,
} from '../support/two-organizations.ts';

let two: TwoOrganizations;
before(async () => {
  two = await startTwoOrganizations();
});
after(() => two?.close());

const ann: Client = { account: 'ann' };
const bob: Client = { account: 'bob' };
const toPartner = ['carol@partner.test'];

/** The reply that ended it. */
async function answerTo(who: Client, message: Parameters<typeof sendAs>[2]): Promise<string> {
  return (await sendAs(two.gateway, who, message)).last.text;
}

const traceOf = async (id: string): Promise<string> => JSON.stringify(await two.gateway.trace(id));

/** What never stands in what the other organization may read: ids, names, domains, people. */
const marksOf = {
  alpha: /alpha|Alpha|\bann\b|detour/,
  beta: /beta|Beta|\bbob\b/,
} as const;

describe('sending', () => {
  for (const from of [
    'bob@beta.test',
    'anybody@beta.test',
    'ann@sub.alpha.test',
    'bob@claimed.com',
  ]) {
    test(`an account does not send as ${from}, by MAIL FROM or From`, async () => {
      assert.match(await answerTo(ann, { from, to: toPartner }), /^550 5\.7\.60/);
      const hidden = { from: 'ann@alpha.test', headerFrom: from, to: toPartner };
      assert.match(await answerTo(ann, hidden), /^550 5\.7\.60/);
    });
  }

  test('an account does not send from a domain that its organization only claims', async () => {
    const message = { from: 'bob@claimed.com', to: toPartner };
    assert.match(await answerTo(bob, message), /^550 5\.7\.60/);
  });

  for (const username of ['ann', 'ann@alpha.test', 'ANN', 'beta/ann', 'bob\0ann']) {
    test(`the password of one opens no account of the other: ${JSON.stringify(username)}`, () =>
      assert.rejects(openClient(two.gateway, { account: 'bob', username }), /535|501/));
  }

  test('a stranger is neither, whatever it says', async () => {
    for (const from of ['ann@alpha.test', 'bob@beta.test', 'x@outside.test', '']) {
      const message = { from, headerFrom: 'x@outside.test', to: toPartner };
      assert.match(await answerTo({}, message), /^550 5\.7\.(1|64) /);
      assert.match(await answerTo({ shows: servers.stranger }, message), /^550 5\.7\.64 /);
    }
  });
});

describe('own servers', () => {
  /** Whose mail a session's is, by its record; the reply where it is refused. */
  async function whose(who: Client, from: string): Promise<string> {
    const { last } = await sendAs(two.gateway, who, {
      from,
      headerFrom: 'x@outside.test',
      to: ['nobody@partner.test'],
    });
    if (last.code !== 250) return last.text.slice(0, 10);
    const [received] = (await two.gateway.trace(queueIdIn(last.text))).events;
    assert.ok(received?.kind === 'received');
    return received.organization;
  }

  test('a certificate makes a session its organization’s, and nobody sends in the other’s name', async () => {
    for (const from of ['x@outside.test', '']) {
      assert.equal(await whose({ shows: servers.alpha }, from), 'alpha');
      assert.equal(await whose({ shows: servers.beta }, from), 'beta');
    }
    assert.equal(await whose({ shows: servers.alpha }, 'ann@alpha.test'), 'alpha');
    assert.equal(await whose({ shows: servers.beta }, 'bob@beta.test'), 'beta');
    assert.equal(await whose({ shows: servers.alpha }, 'bob@beta.test'), '550 5.7.64');
    assert.equal(await whose({ shows: servers.beta }, 'ann@alpha.test'), '550 5.7.64');
  });

  test('an address of one sends nothing as the other', async () => {
    const [annsHost, bobsHost] = ['127.0.0.31', '127.0.0.32'];
    assert.equal(await whose({ from: annsHost }, 'ann@alpha.test'), 'alpha');
    assert.equal(await whose({ from: bobsHost }, 'bob@beta.test'), 'beta');
    for (const isClear of [true, false]) {
      assert.equal(await whose({ from: annsHost, isClear }, 'bob@beta.test'), '550 5.7.64');
      assert.equal(await whose({ from: annsHost, isClear }, 'bob@sub.alpha.test'), '550 5.7.64');
      assert.equal(await whose({ from: bobsHost, isClear }, 'ann@alpha.test'), '550 5.7.64');
      assert.equal(await whose({ from: bobsHost, isClear }, 'bob@claimed.com'), '550 5.7.64');
      assert.equal(await whose({ from: annsHost, isClear }, ''), '550 5.7.64');
    }
  });

  test('a wildcard over a sub-domain of the other takes none of its servers', async () => {
    const shows = servers.betaBelowAlpha;
    assert.equal(await whose({ shows }, 'x@outside.test'), '550 5.7.64');
    assert.equal(await whose({ shows }, ''), '550 5.7.64');
    assert.equal(await whose({ shows, from: '127.0.0.32' }, 'bob@sub.alpha.test'), 'beta');
  });

  test('a certificate with names of both is the sender’s, else nobody’s', async () => {
    const shows = servers.shared;
    assert.equal(await whose({ shows }, 'ann@alpha.test'), 'alpha');
    assert.equal(await whose({ shows }, 'bob@beta.test'), 'beta');
    const { last } = await sendAs(
      two.gateway,
      { shows },
      { from: 'x@outside.test', to: toPartner },
    );
    assert.match(last.text, /^550 5\.7\.64/);
    // The claimants are for the gateway's administrators.
    assert.doesNotMatch(last.text, /alpha|beta|own server/);
    assert.match(await traceOf(refusalIdIn(last.text)), /alpha.*beta/);
  });

  test('what leaves goes by the connector and certificate of its organization', async () => {
    const before = two.partner.messages.length;
    const message = {
      from: 'x@outside.test',
      to: toPartner,
      body: 'forwarded by a server of alpha',
    };
    await answerTo({ shows: servers.alpha }, message);
    await two.partner.waitUntil(({ messages }) => messages.length > before, 20_000);
    const sent = two.partner.messages.find(({ content }) => content.includes('server of alpha'));
    const { tls } = two.partner.connections[sent!.connection]!;
    assert.ok(tls!.clientChain[0]!.equals(ours.alpha.der));
  });
});

describe('the partner', () => {
  const users = { alpha: 'ann@alpha.test', beta: 'bob@beta.test' } as const;
  const from = 'carol@partner.test';

  for (const [name, rival] of [
    ['alpha', 'beta'],
    ['beta', 'alpha'],
  ] as const) {
    test(`its certificate for ${rival} does not satisfy the connector of ${name}`, async () => {
      const who = { shows: partners[rival] };
      const answer = await answerTo(who, { from, to: [users[name]] });
      assert.match(answer, /^550 5\.7\.51 /);
      const record = await traceOf(refusalIdIn(answer));
      // The session showed what it has for the other, and no more is known of that one.
      const told = `${answer}${record}`.replaceAll(`to-${rival}.partner.test`, '');
      assert.doesNotMatch(told.replaceAll(`Partner to ${rival}`, ''), marksOf[rival]);
    });
  }

  test('one session to both is judged by each: one takes it and the other does not', async () => {
    const { recipients, last } = await sendAs(
      two.gateway,
      { shows: partners.alpha },
      { from, to: [users.alpha, users.beta], body: 'only alpha may have this' },
    );
    assert.deepEqual(
      recipients.map(({ code }) => code),
      [250, 550],
    );
    assert.equal(last.code, 250);
    await mailWith(two, ['alpha', 'ann'], 'only alpha may have this');
    const mails = await two.gateway.mailbox('bob', 'beta');
    assert.ok(mails.every((mail) => !mail.includes('only alpha may have this')));
  });
});

describe('aliases and domains', () => {
  test('an alias leads to a name of the other, and expands none of it', async () => {
    const message = { from: 'x@outside.test', to: ['team@alpha.test'], body: 'for the teams' };
    const { last } = await sendAs(two.gateway, {}, message);
    const mail = await mailWith(two, ['beta', 'bob'], 'for the teams');
    const outer = await traceOf(queueIdIn(last.text));
    assert.match(outer, /team@beta\.test/);
    assert.doesNotMatch(outer, /bob|carol/);
    // Beta's own alias goes on from there, by beta's connector.
    const isSent = () => two.partner.messages.find(({ content }) => content.includes('the teams'));
    await two.partner.waitUntil(() => isSent() !== undefined, 20_000);
    const { tls } = two.partner.connections[isSent()!.connection]!;
    assert.ok(tls!.clientChain[0]!.equals(ours.beta.der));
    assert.doesNotMatch(await traceOf(idsIn(mail)[0]!), /friends|\bann\b/);
  });

  test('a domain that the other only claims is reached where its MX is', async () => {
    const message = { from: 'ann@alpha.test', to: ['bob@claimed.com'], body: 'not for beta' };
    const { last } = await sendAs(two.gateway, ann, message);
    const id = queueIdIn(last.text);
    const dsn = await mailWith(two, ['alpha', 'ann'], `X-Postern-Queue-ID: ${id}`);
    assert.match(dsn, /Status: 5\.1\.10/);
    assert.doesNotMatch(`${dsn}${await traceOf(id)}`, /beta|Beta/);
    const mails = await two.gateway.mailbox('bob', 'beta');
    assert.ok(mails.every((mail) => !mail.includes('not for beta')));
  });

  test('a sub-domain of the other is the other’s alone', async () => {
    const message = { from: 'ann@alpha.test', to: ['bob@sub.alpha.test'], body: 'below alpha' };
    await sendAs(two.gateway, ann, message);
    await mailWith(two, ['beta', 'bob'], 'below alpha');
    const spoof = { from: 'bob@sub.alpha.test', to: ['ann@alpha.test'] };
    // Not a name of alpha, and so no direct send of alpha's.
    assert.match(await answerTo({}, spoof), /^250 /);
    assert.match(await answerTo({}, { ...spoof, to: ['bob@beta.test'] }), /^550 5\.7\.68/);
  });
});

describe('rules', () => {
  test('one’s rule neither acts on the other’s mail nor sees its recipients', async () => {
    const subject = 'alpha-refuses';
    const toBoth = ['ann@alpha.test', 'bob@beta.test'];
    const fromOutside = { from: 'x@outside.test', to: toBoth, subject, body: 'seen by no rule' };
    assert.match(await answerTo({}, fromOutside), /^250 /);
    await mailWith(two, ['alpha', 'ann'], 'seen by no rule');
    const mail = await mailWith(two, ['beta', 'bob'], 'seen by no rule');
    assert.equal(mail.match(/X-Stamp/g)!.length, 1);
    const own = { from: 'ann@alpha.test', to: ['bob@beta.test'], subject };
    assert.match(await answerTo(ann, own), /^550 .*alpha does not want it/);
  });

  test('what one refuses and the other takes is brought one at a time, and then decided apart', async () => {
    const message = {
      from: 'y@outside.test',
      to: ['ann@alpha.test', 'bob@beta.test'],
      subject: 'beta-refuses',
      body: 'one at a time',
    };
    const first = await answerTo({}, message);
    assert.match(first, /^451 4\.5\.3/);
    assert.doesNotMatch(first, /alpha|beta|refuse"/);
    const second = await sendAs(two.gateway, {}, message);
    assert.deepEqual(
      second.recipients.map(({ text }) => text.slice(0, 9)),
      ['250 2.1.5', '452 4.5.3'],
    );
    assert.equal(second.last.code, 250);
    await mailWith(two, ['alpha', 'ann'], 'one at a time');
    const third = await answerTo({}, { ...message, to: ['bob@beta.test'] });
    assert.match(third, /^550 5\.7\.1 .*beta does not want it/);
    assert.doesNotMatch(await traceOf(refusalIdIn(third)), /alpha|\bann\b/);
  });

  test('rules of both that send mail round end it after three passes', async () => {
    const message = { from: 'x@outside.test', to: ['loop@alpha.test'], body: 'round and round' };
    assert.match(await answerTo({}, message), /^250 /);
    const rounds = () => two.gateway.api.searchTraces({ from: 'x@outside.test', limit: 200 });
    await waitFor('the end of the loop', async () => {
      const { rows } = await rounds();
      return rows.find(({ recipients }) => recipients[0]?.status === '5.7.128') ?? null;
    });
    await waitFor('an empty queue', async () => (await two.gateway.queue()).length === 0);
    const { rows } = await rounds();
    const passed = rows.filter(
      ({ recipients }) =>
        recipients[0]?.recipient.startsWith('loop@') === true &&
        recipients[0].state === 'delivered',
    );
    assert.equal(passed.length, 2);
    const mails = [
      ...(await two.gateway.mailbox('ann', 'alpha')),
      ...(await two.gateway.mailbox('bob', 'beta')),
    ];
    assert.ok(mails.every((mail) => !mail.includes('round and round')));
  });

  test('mail of one’s own account that the other sends back is no way in', async () => {
    const message = { from: 'ann@alpha.test', to: ['loop@beta.test'], body: 'there and back' };
    const { last } = await sendAs(two.gateway, ann, message);
    await two.gateway.waitUntilGone(queueIdIn(last.text));
    const report = await waitFor('the report', async () => {
      const mails = (await two.gateway.mailbox('ann', 'alpha')).map(String);
      return mails.find((mail) => mail.includes('your mail to loop@alpha.test')) ?? null;
    });
    assert.match(report, /Status: 5\.7\.68/);
  });
});

describe('what each may read', () => {
  for (const [name, rival, who, user] of [
    ['alpha', 'beta', ann, 'ann'],
    ['beta', 'alpha', bob, 'bob'],
  ] as const) {
    test(`a report and the trace about a failure of ${name} name nothing of ${rival}`, async () => {
      const message = { from: `${user}@${name}.test`, to: ['nobody@partner.test'] };
      const { last } = await sendAs(two.gateway, who, message);
      const id = queueIdIn(last.text);
      const dsn = await mailWith(two, [name, user], `X-Postern-Queue-ID: ${id}`);
      assert.match(dsn, /nobody here has this name/);
      assert.doesNotMatch(dsn, marksOf[rival]);
      assert.doesNotMatch(await traceOf(id), marksOf[rival]);
    });

    test(`queue rows, contents and explanations of ${name} name nothing of ${rival}`, async () => {
      const body = 'x'.repeat(300_000).replaceAll(/.{76}/g, '$&\r\n');
      const message = { from: `${user}@${name}.test`, to: ['later@partner.test'], body };
      const { last } = await sendAs(two.gateway, who, message);
      const row = await two.gateway.waitForRow(queueIdIn(last.text));
      assert.equal(row.organization, name);
      assert.doesNotMatch(JSON.stringify(row), marksOf[rival]);
      const spool = join(two.gateway.dataFolder, 'spool', '0');
      assert.equal((await readdir(join(spool, name))).length, 1);
      const { stdout } = await two.gateway.run('queue', 'list', '--organization', name, '--json');
      assert.match(stdout, new RegExp(row.id));
      assert.doesNotMatch(stdout, marksOf[rival]);
      const explained = await two.gateway.api.explain({
        from: message.from,
        to: 'x@partner.test',
        clientAddress: null,
        heloName: 'client.test',
        encryption: 'none',
        clientCertificate: null,
        headers: [],
        sizeBytes: null,
      });
      assert.doesNotMatch(JSON.stringify(explained), marksOf[rival]);
      await two.gateway.run('queue', 'delete', row.id, '--yes');
    });
  }

  test('what the other refuses inside says no more than to anybody', async () => {
    const message = { from: 'ann@alpha.test', to: ['unknown@beta.test'] };
    const { last } = await sendAs(two.gateway, ann, message);
    const id = queueIdIn(last.text);
    const dsn = await mailWith(two, ['alpha', 'ann'], `X-Postern-Queue-ID: ${id}`);
    const told = `${dsn}${await traceOf(id)}`.replaceAll(/unknown@(?:[Bb]eta\.test)/g, '');
    assert.match(dsn, /Status: 5\.4\.1/);
    // Whose domain it is the sender's organization knows: it handed the mail over.
    assert.doesNotMatch(told, /bob|Beta Labs|alpha over TLS|of-beta/);
    const [inner] = (await two.gateway.api.searchTraces({ to: 'unknown@beta.test' })).rows;
    assert.ok(inner !== undefined);
  });
});

test('lists of names are never joined: every connector in a record is its organization’s', async () => {
  const names: Record<OrganizationName, RegExp> = {
    alpha: /detour/,
    beta: /alpha (over|cert|trust)/,
  };
  const { rows } = await two.gateway.api.searchTraces({ limit: 500 });
  for (const { id } of rows) {
    const { events } = await two.gateway.trace(id);
    for (const event of events) {
      if (event.kind !== 'received') continue;
      const rival = event.organization === 'alpha' ? 'beta' : 'alpha';
      assert.doesNotMatch(JSON.stringify(event.decision), names[rival]);
    }
  }
});
