import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, startFakeGateway } from '../../../test/support/command-line.ts';
import { openRig } from '../../../test/support/people-rig.ts';

test('people are added, granted, revoked, given passwords and removed', async (t) => {
  const rig = openRig();
  const { folder } = await startFakeGateway(t, { people: rig.services });
  const io = { workingFolder: folder };
  const postern = (line: string, input?: string) =>
    run(line.split(' '), { io, ...(input === undefined ? {} : { input }) });
  const added = await postern('person add Ada --role auditor help-desk@contoso --json');
  assert.equal(added.code, 0, added.stderr);
  const { person, invitation } = JSON.parse(added.stdout) as {
    readonly person: { readonly name: string; readonly grants: readonly object[] };
    readonly invitation: { readonly url: string };
  };
  assert.equal(person.name, 'ada');
  assert.equal(person.grants.length, 2);
  assert.match(invitation.url, /^https:.*#psl_/);
  assert.equal((await postern('person grant ada connector-administrator@contoso')).code, 0);
  const revoked = await postern('person revoke ada auditor');
  assert.match(revoked.stdout, /connector-administrator@contoso, help-desk@contoso/);
  assert.doesNotMatch(revoked.stdout, /auditor/);
  const short = await postern('person password ada --password-stdin', 'elevenchars\n');
  assert.equal(short.code, 65);
  const set = await postern('person password ada --password-stdin', 'correct horse battery\n');
  assert.equal(set.code, 0, set.stderr);
  assert.doesNotMatch(set.stdout, /correct horse/);
  const list = await postern('person list');
  assert.match(
    list.stdout,
    /^ada +on +password +never +connector-administrator@contoso, help-desk/m,
  );
  assert.equal((await postern('person remove ada')).code, 0);
  assert.match((await postern('person list')).stdout, /There is nobody/);
});

test('roles, organizations and people that there are not are refused in words', async (t) => {
  const rig = openRig();
  rig.add('ada');
  const { folder } = await startFakeGateway(t, { people: rig.services });
  for (const [line, code, words] of [
    ['person add bob --role king', 64, /"king" is no role/],
    ['person add bob --role gateway-administrator@contoso', 64, /for the whole gateway/],
    ['person add bob --role auditor@nowhere', 65, /no organization "nowhere"/],
    ['person add ada', 65, /"ada" already/],
    ['person revoke ada auditor', 64, /no role auditor/],
    ['person grant bob auditor', 66, /no person "bob"/],
    ['person password ada --generate --remove', 64, /choose one/],
    ['person invite', 65, /people already/],
    ['token create ada --name x', 64, /--permission is needed/],
    ['token create ada --name x --permission everything', 64, /permissions/],
    ['token create ada --name x --permission queue.read --expires-in-days 999', 64, /366/],
    ['token revoke x', 66, /no token x/],
    ['audit list --since yesterday', 64, /no time/],
  ] as const) {
    const result = await run(line.split(' '), { io: { workingFolder: folder } });
    assert.equal(result.code, code, `${line}: ${result.stderr}`);
    assert.match(result.stderr, words, line);
  }
});

test('a token is printed once and alone, so that it can go into a file', async (t) => {
  const rig = openRig();
  rig.add('ada', [{ role: 'auditor', organization: null }]);
  const { folder } = await startFakeGateway(t, { people: rig.services });
  const io = { workingFolder: folder };
  const line = ['token', 'create', 'ada', '--name', 'ci', '--permission', 'queue.read'];
  const made = await run(line, { io });
  assert.match(made.stdout, /^pst_[\w-]{43}\n$/);
  const list = await run(['token', 'list'], { io });
  assert.match(list.stdout, /ada +ci +\S+ +never +queue\.read/);
  assert.doesNotMatch(list.stdout, /pst_/);
});

test('verify says where the chain breaks, and misses what was cut off where a hash was noted', async (t) => {
  const rig = openRig();
  for (const name of ['ada', 'bob', 'eve']) rig.add(name);
  let bend = (links: readonly { number: number; hash: string; json: string }[]) => [...links];
  const people = {
    ...rig.services,
    readAuditChain: (query: Parameters<typeof rig.services.readAuditChain>[0]) => {
      const page = rig.services.readAuditChain(query);
      return { ...page, links: bend(page.links) };
    },
  };
  const { folder } = await startFakeGateway(t, { people });
  const io = { workingFolder: folder };
  const whole = await run(['audit', 'verify'], { io });
  assert.equal(whole.code, 0, whole.stderr);
  const newest = /newest +(\S+)/.exec(whole.stdout)![1]!;
  assert.equal((await run(['audit', 'verify', '--newest', newest], { io })).code, 0);
  bend = (links) => links.map((link) => (link.number === 2 ? { ...link, json: '{}' } : link));
  const bent = await run(['audit', 'verify'], { io });
  assert.equal(bent.code, 65);
  assert.match(bent.stdout, /broken at entry 2/);
  bend = (links) => links.slice(0, -1);
  assert.equal((await run(['audit', 'verify'], { io })).code, 0);
  const cut = await run(['audit', 'verify', '--newest', newest], { io });
  assert.equal(cut.code, 65);
  assert.match(cut.stdout, /cut off/);
  bend = (links) => [...links];
  const exported = await run(['audit', 'export', '--after', '1'], { io });
  const lines = exported.stdout.trim().split('\n');
  assert.equal(lines.length, 2);
  assert.equal((JSON.parse(lines[0]!) as { number: number }).number, 2);
});
