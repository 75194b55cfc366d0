import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parse } from 'yaml';
import { addMailbox, setPasswordHash } from './edit-mailboxes.ts';
import { embeddedDefaultText } from './embedded-default-text.ts';

const entry = { account: 'ann', addresses: ['ann@b.test', 'a@b.test'], passwordHash: 'H' };
const ann = { place: 0, ...entry };

/** Lines that stand in one text only: what an edit added and took away. */
function difference(before: string, after: string): { added: string[]; gone: string[] } {
  const [old, now] = [before.split('\n'), after.split('\n')];
  return {
    added: now.filter((line) => !old.includes(line)),
    gone: old.filter((line) => !now.includes(line)),
  };
}

test('the embedded default: only the new lines come in, every comment stays', () => {
  const text = embeddedDefaultText({ account: 'u@b.test', passwordHash: 'old', isRoot: false });
  const added = addMailbox(text, ann);
  assert.deepEqual(difference(text, added), {
    added: [
      '      - account: "ann"',
      '        addresses: ["ann@b.test","a@b.test"]',
      '        passwordHash: "H"',
    ],
    gone: [],
  });
  const changed = setPasswordHash(text, 'U@B.TEST', 'new$hash');
  assert.deepEqual(difference(text, changed), {
    added: ['        passwordHash: "new$hash"'],
    gone: ['        passwordHash: "old"'],
  });
});

/** The mailboxes of each spelling of a configuration, before and after. */
const spellings: Readonly<Record<string, string>> = {
  block:
    'organizations:\n  - id: x\n    mailboxes:\n      - account: u # c\n        addresses: u@b.test # d\n    name: X # e\n',
  'dash in the column of the key':
    'organizations:\n- id: x\n  mailboxes:\n  - account: u\n    addresses:\n    - u@b.test\n    # end\n',
  'no line end':
    'organizations:\n  - mailboxes:\n      - account: u\n        addresses: [u@b.test]',
  'flow list':
    'organizations:\n  - id: x\n    mailboxes: [{account: u, addresses: [u@b.test]}] # c\n',
  'long flow':
    'organizations:\n  - mailboxes: [\n      {account: u, addresses: [u@b.test]}, # c\n    ]\n    id: x\n',
  JSON: '{"organizations": [{"mailboxes": [{"account": "u", "addresses": ["u@b.test"]}], "id": "x"}]}\n',
  'windows line ends':
    'organizations:\r\n  - id: x\r\n    mailboxes:\r\n      - account: u\r\n        addresses: [u@b.test]\r\n    name: X\r\n',
  'block scalar':
    'organizations:\n  - mailboxes:\n      - account: u\n        addresses: [u@b.test]\n        passwordHash: >-\n          old\n    comment: |\n      text\n',
};

for (const [name, text] of Object.entries(spellings)) {
  test(`adds and changes in every spelling: ${name}`, () => {
    const before = (parse(text) as { organizations: { mailboxes: object[] }[] }).organizations[0]!;
    const added = addMailbox(text, ann);
    const after = (parse(added) as { organizations: { mailboxes: object[] }[] }).organizations[0]!;
    assert.deepEqual(after, { ...before, mailboxes: [...before.mailboxes, entry] });
    for (const comment of text.match(/#.*/g) ?? []) assert.ok(added.includes(comment), comment);
    const changed = setPasswordHash(added, 'u', 'N');
    const last = (parse(changed) as { organizations: { mailboxes: object[] }[] }).organizations[0]!;
    assert.deepEqual(last.mailboxes[0], { ...before.mailboxes[0], passwordHash: 'N' });
    assert.deepEqual(last.mailboxes[1], entry);
    if (text.includes('\r\n')) assert.doesNotMatch(changed, /[^\r]\n/);
  });
}

test('a list that is missing, empty or null is made', () => {
  for (const spelling of [
    '',
    '    mailboxes:\n',
    '    mailboxes: []\n',
    '    mailboxes: null # n\n',
  ]) {
    for (const rest of ['', '    name: X\n']) {
      const text = `organizations:\n  - id: x\n${spelling}${rest}`;
      const added = addMailbox(text, { ...ann, passwordHash: null });
      const { organizations } = parse(added) as { organizations: { mailboxes: object[] }[] };
      assert.deepEqual(
        organizations[0]!.mailboxes,
        [{ account: 'ann', addresses: ann.addresses }],
        JSON.stringify(text),
      );
    }
  }
});

test('with several organizations each edit is of the right one', () => {
  const text =
    'organizations:\n  - id: x\n    mailboxes:\n      - account: u\n        addresses: [u@b.test]\n  - id: y # second\n    name: Y\n';
  const added = addMailbox(text, { ...ann, place: 1 });
  type Organizations = { organizations: { mailboxes?: object[] }[] };
  const before = (parse(text) as Organizations).organizations;
  const after = (parse(added) as Organizations).organizations;
  assert.deepEqual(after, [before[0], { ...before[1], mailboxes: [entry] }]);
  const changed = (parse(setPasswordHash(added, 'ANN', 'N')) as Organizations).organizations;
  assert.deepEqual(changed, [
    before[0],
    { ...before[1], mailboxes: [{ ...entry, passwordHash: 'N' }] },
  ]);
  assert.throws(() => addMailbox(text, { ...ann, place: 2 }), { code: 'config-edit-failed' });
});

test('whatever cannot be edited safely is left as it is', () => {
  const cases = [
    // An anchor that others use would change them too.
    'organizations: &a\n  - id: x\n    mailboxes: &m\n      - account: u\n        addresses: [u@b.test]\nother: *m\n',
    'organizations: x\n',
    'm: &m []\norganizations:\n  - id: x\n    mailboxes: *m\n',
    'organizations: [\n',
    '',
  ];
  for (const text of cases) {
    assert.throws(() => addMailbox(text, ann), { code: 'config-edit-failed' }, text);
  }
  assert.throws(() => setPasswordHash(spellings['block']!, 'nobody', 'N'), /nobody/);
});

test('any account and hash come back as they were', () => {
  const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(
      word,
      fc.array(word, { minLength: 1, maxLength: 3 }),
      word,
      (account, addresses, passwordHash) => {
        const text = spellings['block']!;
        const edited = addMailbox(text, { place: 0, account, addresses, passwordHash });
        const { organizations } = parse(edited) as { organizations: { mailboxes: object[] }[] };
        assert.deepEqual(organizations[0]!.mailboxes[1], { account, addresses, passwordHash });
      },
    ),
  );
});
