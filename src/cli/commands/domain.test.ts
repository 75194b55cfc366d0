import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DomainListView, DomainView } from '../../api/contract/domains.ts';
import { Failure } from '../../mail/failure.ts';
import { run, startFakeGateway } from '../../../test/support/command-line.ts';

const text = `postern-domain-verification=${'0123456789'.repeat(4)}`;
const unproven: DomainView = {
  domain: 'contoso.com',
  organization: 'contoso',
  type: 'Authoritative',
  state: 'unproven',
  text: 'not proven for contoso: mail for it is put off (450)',
  provenAt: null,
  record: { name: 'contoso.com', type: 'TXT', text },
  lastLook: {
    at: '2026-11-22T10:00:00.000Z',
    result: 'absent',
    text: 'contoso.com has \u001b[31mno TXT record',
  },
  nextLookAt: '2026-11-22T10:01:00.000Z',
  whatToDo: 'publish the record, then postern domain verify contoso.com',
};
const proven: DomainView = {
  ...unproven,
  domain: 'fabrikam.com',
  state: 'proven',
  text: 'proven for contoso since 2026-11-01T00:00:00.000Z',
  provenAt: '2026-11-01T00:00:00.000Z',
  record: null,
  lastLook: null,
  nextLookAt: null,
  whatToDo: null,
};

test('list shows every domain, and for what is unproven the whole record on one line', async (t) => {
  const list: DomainListView = {
    formatVersion: 1,
    domainVerification: 'txt',
    domains: [unproven, proven],
  };
  const { folder } = await startFakeGateway(t, { listDomains: async () => list });
  const io = { workingFolder: folder, isTty: true, columns: 60 };
  const { code, stdout } = await run(['domain', 'list'], { io });
  assert.equal(code, 0);
  assert.match(stdout, /^contoso\.com +contoso +Authoritative +unproven$/m);
  assert.match(stdout, /^fabrikam\.com +contoso +Authoritative +proven$/m);
  assert.ok(stdout.includes(`\n  publish    contoso.com. IN TXT "${text}"\n`));
  assert.match(stdout, /last look {2}2026-11-22T10:00:00\.000Z: contoso\.com has .*no TXT record/);
  assert.match(stdout, /to do {6}publish the record/);
  assert.ok(!stdout.includes('\u001b'));
  const json = await run(['domain', 'list', '--json'], { io });
  assert.deepEqual(JSON.parse(json.stdout), list);
});

test('verify asks for the canonical name and ends with 75 until it is proven', async (t) => {
  const asked: string[] = [];
  const views = [unproven, { ...proven, domain: 'contoso.com' }, unproven];
  const { folder } = await startFakeGateway(t, {
    verifyDomain: async (domain) => {
      asked.push(domain);
      const view = views.shift();
      if (view === undefined)
        throw new Failure('domain-unknown', `${domain} is no accepted domain`);
      return view;
    },
  });
  const io = { workingFolder: folder };
  const first = await run(['domain', 'verify', 'Contoso.COM.'], { io });
  assert.equal(first.code, 75);
  assert.match(first.stdout, /publish {4}contoso\.com\. IN TXT/);
  const second = await run(['domain', 'verify', 'contoso.com'], { io });
  assert.equal(second.code, 0);
  assert.match(second.stdout, /^contoso\.com: proven for contoso/);
  const json = await run(['domain', 'verify', 'contoso.com', '--json'], { io });
  assert.equal(json.code, 75);
  assert.deepEqual(JSON.parse(json.stdout), { formatVersion: 1, ...unproven });
  assert.equal((await run(['domain', 'verify', 'b\u00fccher.example'], { io })).code, 66);
  assert.deepEqual(asked, ['contoso.com', 'contoso.com', 'contoso.com', 'xn--bcher-kva.example']);
  assert.equal((await run(['domain', 'verify', 'no domain'], { io })).code, 64);
});
