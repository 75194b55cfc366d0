/** Proof of domains from DNS to the policy that the lanes get; what must not prove comes first. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  domain,
  isProven,
  newFolder,
  organization,
  recordFor,
  startDomainRig,
  startProven,
  until,
} from '../../../test/support/domain-rig.ts';
import { Failure } from '../../mail/failure.ts';
import { verificationPrefix } from '../../policy/domain-proof.ts';
import { foldersOf } from '../data-folder.ts';
import { domainServices } from './domain-services.ts';
import { firstWaitMs } from './look-plan.ts';
import { openVerificationSecret, tokenFor } from './verification-secret.ts';

describe('a domain stays unproven', () => {
  for (const [fact, entry, result] of [
    ['without any record', {}, 'absent'],
    ['with other records', { txt: ['v=spf1 -all'] }, 'absent'],
    ['with a wrong token', { txt: [`${verificationPrefix}${'0'.repeat(40)}`] }, 'other-token'],
    ['with a failing DNS', { failures: { TXT: 'servfail' } }, 'no-answer'],
  ] as const) {
    test(fact, async (t) => {
      const rig = await startDomainRig(t, { zone: { [domain]: entry } });
      const view = await domainServices({ ...rig, domains: rig.care }).verifyDomain(domain);
      assert.equal(view.state, 'unproven');
      assert.equal(view.lastLook!.result, result);
      assert.equal(view.record!.text, await recordFor(rig.folder));
      assert.ok(view.whatToDo);
      assert.equal(isProven(rig), false);
      assert.deepEqual(rig.prepared, []);
      assert.match(rig.care.warnings().join(), /contoso\.com is put off/);
      assert.match(rig.lines.join('\n'), /mail for contoso\.com is put off.*postern domain list/);
    });
  }

  test('by the token of another organization, of another domain and of another gateway', async (t) => {
    const rig = await startDomainRig(t);
    const { secret } = await openVerificationSecret(foldersOf(rig.folder).verificationSecret);
    const elsewhere = await openVerificationSecret(join(await newFolder(t), 'secret'));
    for (const token of [
      tokenFor(secret, 'other', domain),
      tokenFor(secret, organization, 'contoso.org'),
      tokenFor(elsewhere.secret, organization, domain),
    ]) {
      rig.zone[domain] = { txt: [`${verificationPrefix}${token}`] };
      await rig.care.verify(domain);
      assert.equal(isProven(rig), false);
    }
    rig.zone[domain] = { txt: [await recordFor(rig.folder)] };
    await rig.care.verify(domain);
    assert.equal(isProven(rig), true);
  });

  test('at a sub-domain that has the record', async (t) => {
    const rig = await startDomainRig(t);
    rig.zone[`_x.${domain}`] = { txt: [await recordFor(rig.folder)] };
    assert.equal((await rig.care.verify(domain)).look!.last!.result, 'absent');
  });
});

describe('a domain is proven', () => {
  test('by its record among others, in a new policy that every lane gets, and that names itself', async (t) => {
    const rig = await startDomainRig(t);
    const before = rig.reloader.inForce;
    rig.zone[domain] = { txt: ['v=spf1', await recordFor(rig.folder), 'x'] };
    const view = await domainServices({ ...rig, domains: rig.care }).verifyDomain(domain);
    assert.equal(view.state, 'proven');
    assert.equal(view.record, null);
    assert.equal(view.lastLook!.result, 'proven', 'our own change begins nothing anew');
    assert.equal(isProven(rig), true);
    assert.equal(rig.prepared.length, 1);
    assert.equal(rig.prepared[0]!.organizations[0]!.acceptedDomains[0]!.isProven, true);
    assert.notEqual(rig.reloader.inForce.policy.revision, before.policy.revision);
    assert.equal(rig.reloader.inForce.revision, before.revision, 'the file has not changed');
    assert.equal((await rig.reloader.check()).kind, 'same');
    assert.deepEqual(rig.care.warnings(), []);
    assert.match(rig.lines.join('\n'), /contoso\.com is proven; its mail is taken/);
  });

  test('at the start, at a reload and from time to time without being asked', async (t) => {
    const folder = await newFolder(t);
    const file = foldersOf(folder).verificationSecret;
    const { secret } = await openVerificationSecret(file);
    const txt = [`${verificationPrefix}${tokenFor(secret, organization, domain)}`];
    const atStart = await startDomainRig(t, { folder, zone: { [domain]: { txt } } });
    await until(() => isProven(atStart));

    await rm(foldersOf(folder).provenDomains);
    const atReload = await startDomainRig(t, { folder });
    await until(() => atReload.looks() === 1 && atReload.lines.length > 0);
    atReload.zone[domain] = { txt };
    assert.equal((await atReload.reloader.reload()).kind, 'reloaded');
    await until(() => isProven(atReload));
  });

  test('for good: it outlives a restart, a dead DNS and a removed record', async (t) => {
    const rig = await startDomainRig(t);
    rig.zone[domain] = { txt: [await recordFor(rig.folder)] };
    await rig.care.verify(domain);
    rig.zone[domain] = {};
    rig.isDnsDead = true;
    await rig.reloader.reload();
    assert.equal(isProven(rig), true);
    const again = await startDomainRig(t, { folder: rig.folder, isDnsDead: true });
    assert.equal(isProven(again), true, 'before anything was looked up');
    assert.equal(again.looks(), 0);
  });

  test('only until another organization has it', async (t) => {
    const rig = await startDomainRig(t);
    rig.zone[domain] = { txt: [await recordFor(rig.folder)] };
    await rig.care.verify(domain);
    const moved = await startDomainRig(t, { folder: rig.folder, id: 'other', zone: rig.zone });
    assert.equal(isProven(moved), false);
    await until(() => moved.looks() > 0);
    await until(() => moved.lines.some((line) => line.includes('another token')));
    const back = await startDomainRig(t, { folder: rig.folder });
    assert.equal(isProven(back), false);
  });

  test('and tried again where a lane refused the policy', async (t) => {
    const rig = await startDomainRig(t);
    rig.isLaneRefusing = true;
    rig.zone[domain] = { txt: [await recordFor(rig.folder)] };
    await rig.care.verify(domain);
    assert.equal(isProven(rig), false);
    assert.match(rig.lines.join('\n'), /not now/);
    rig.isLaneRefusing = false;
    rig.isDnsDead = true;
    await until(() => isProven(rig));
  });
});

test('the look comes again by itself, and once it is due', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const rig = await startDomainRig(t);
  const turns = async (): Promise<void> => {
    for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
  };
  const pass = async (ms: number): Promise<void> => {
    await turns();
    rig.nowMs += ms;
    t.mock.timers.tick(ms);
    await turns();
  };
  for (const [ms, looks] of [
    [0, 1],
    [firstWaitMs - 1, 1],
    [1, 2],
    [2 * firstWaitMs - 1, 2],
    [1, 3],
  ] as const) {
    await pass(ms);
    assert.equal(rig.looks(), looks);
  }
});

describe('the file of what was proven', () => {
  test('has a version and no secret, and is for its owner alone', async (t) => {
    const { folder } = await startProven(t);
    const file = foldersOf(folder).provenDomains;
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), {
      formatVersion: 1,
      proven: [{ domain, organization, provenAt: '2026-11-22T12:00:00.000Z' }],
    });
    for (const each of [file, foldersOf(folder).verificationSecret]) {
      assert.equal((await stat(each)).mode & 0o777, 0o600);
    }
    const names = await readdir(folder);
    assert.deepEqual(names.sort(), ['domain-verification.key', 'proven-domains.json']);
  });

  for (const [fact, text] of [
    ['cut', '{"formatVersion":1,"proven":[{"domain":"contoso.com"'],
    ['empty', ''],
    ['no list', '{"formatVersion":1}'],
    ['of a newer version', '{"formatVersion":2,"proven":[]}'],
  ] as const) {
    test(`proves nothing where it is ${fact}; that is said, and looked up again`, async (t) => {
      const { folder, zone } = await startProven(t);
      const file = foldersOf(folder).provenDomains;
      await writeFile(file, text);
      const dead = await startDomainRig(t, { folder, isDnsDead: true });
      assert.equal(isProven(dead), false);
      await until(() => dead.lines.some((line) => line.includes('nothing is proven by it')));
      assert.match(dead.care.warnings().join('\n'), /proven-domains\.json.*nothing is proven/);
      assert.equal(await readFile(file, 'utf8'), text, 'nothing is overwritten for nothing');
      const again = await startDomainRig(t, { folder, zone });
      await until(() => isProven(again));
      assert.deepEqual(again.care.warnings(), []);
      assert.equal(await readFile(`${file}.damaged`, 'utf8'), text);
      assert.equal(isProven(await startDomainRig(t, { folder, isDnsDead: true })), true);
    });
  }

  test('that cannot be written does not keep a proven domain waiting, and is tried again', async (t) => {
    const rig = await startDomainRig(t);
    rig.zone[domain] = { txt: [await recordFor(rig.folder)] };
    const file = foldersOf(rig.folder).provenDomains;
    await mkdir(join(file, 'x'), { recursive: true });
    await rig.care.verify(domain);
    assert.equal(isProven(rig), true);
    assert.match(rig.lines.join('\n'), /cannot be kept on the disk/);
    await rm(file, { recursive: true });
    await rig.reloader.reload();
    await until(() => rig.lines.length > 0);
    while ((await stat(file).catch(() => null)) === null) await sleep(10);
    assert.match(await readFile(file, 'utf8'), /contoso/);
  });

  test('is tried again at once where a reload comes as a round ends', async (t) => {
    const rig = await startProven(t);
    const reload = (): void => rig.care.onSwap({ ...rig.reloader.inForce });
    const saves: (() => void)[] = [];
    t.mock.method(rig.book, 'save', () => new Promise<void>((done) => saves.push(done)));
    reload();
    await until(() => saves.length === 1);
    reload();
    saves[0]!();
    await until(() => saves.length === 2);
    saves[1]!();
  });
});

describe('without a need', () => {
  test('nothing is asked, made or written', async (t) => {
    const rig = await startDomainRig(t, { verification: 'off', isDnsDead: true });
    const { domains, domainVerification } = await domainServices({
      ...rig,
      domains: rig.care,
    }).listDomains();
    assert.equal(domainVerification, 'off');
    assert.deepEqual(
      domains.map(({ state }) => state),
      ['not-needed', 'not-needed'],
    );
    await sleep(20);
    assert.equal(rig.looks(), 0);
    assert.deepEqual(await readdir(rig.folder), []);
  });

  test('a special-use name is taken as written', async (t) => {
    const rig = await startDomainRig(t);
    const { domains } = await domainServices({ ...rig, domains: rig.care }).listDomains();
    assert.match(domains[1]!.text, /cannot be in public DNS/);
  });

  test('an unknown domain is refused', async (t) => {
    const rig = await startDomainRig(t);
    await assert.rejects(
      rig.care.verify('contoso.org'),
      (error) => error instanceof Failure && error.code === 'domain-unknown',
    );
  });
});
