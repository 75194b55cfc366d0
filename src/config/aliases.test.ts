/** Aliases and catch-alls: what is refused, with its place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorsOf, inOrganization, problemsOf } from './config-sample.ts';
import { formatProblem } from './problem.ts';

const mailboxes =
  'mailboxes: [{ account: ann, addresses: ann@fabrikam.com }, { account: bob, addresses: bob@fabrikam.com }]';
const withAliases = (aliases: string, domain = ''): string =>
  inOrganization(
    `acceptedDomains: [{ domain: fabrikam.com, ${domain} }]\n${mailboxes}\naliases:\n${aliases}\n`,
  );
const one = (address: string, to: string): string =>
  `  - { address: ${address}@fabrikam.com, to: ${to} }`;
const here = 'organizations[0].aliases[0]';

const refusals: readonly (readonly [string, string, string, RegExp])[] = [
  [
    'an alias that is a mailbox, whatever the case',
    withAliases(one('ANN', 'bob@fabrikam.com')),
    `${here}.address`,
    /address of the mailbox "ann"/,
  ],
  [
    'an alias twice',
    withAliases(`${one('a', 'ann@fabrikam.com')}\n${one('A', 'bob@fabrikam.com')}`),
    'organizations[0].aliases[1].address',
    /another alias A@fabrikam\.com/,
  ],
  [
    'an alias in a domain that is not ours',
    withAliases('  - { address: a@contoso.com, to: ann@fabrikam.com }'),
    `${here}.address`,
    /in no accepted domain/,
  ],
  ['an alias to nobody', withAliases(one('a', '[]')), `${here}.to`, /at least one/],
  [
    'an alias of itself',
    withAliases(one('a', 'A@fabrikam.com')),
    `${here}.to`,
    /is the alias itself/,
  ],
  [
    'a target twice',
    withAliases(one('a', '[ann@fabrikam.com, ann@fabrikam.com]')),
    `${here}.to[1]`,
    /twice/,
  ],
  [
    'a target that is nobody',
    withAliases(one('a', 'anm@fabrikam.com')),
    `${here}.to`,
    /no mailbox.*mean "ann@fabrikam\.com"/,
  ],
  [
    'a target that only the catch-all would take',
    withAliases(one('a', 'anm@fabrikam.com'), 'catchAll: bob@fabrikam.com'),
    `${here}.to`,
    /no mailbox/,
  ],
  [
    'a circle',
    withAliases(
      `${one('a', 'b@fabrikam.com')}\n${one('b', '[c@fabrikam.com]')}\n${one('c', 'a@fabrikam.com')}`,
    ),
    `${here}.to`,
    /in a circle: a@fabrikam\.com → b@fabrikam\.com → c@fabrikam\.com → a@fabrikam\.com/,
  ],
  [
    'a chain that is too long',
    withAliases(
      Array.from({ length: 12 }, (_, i) =>
        one(`a${i}`, i === 11 ? 'ann@fabrikam.com' : `a${i + 1}@fabrikam.com`),
      ).join('\n'),
    ),
    `${here}.to`,
    /more than 10 aliases/,
  ],
  [
    'too many targets',
    withAliases(
      one('a', `[${Array.from({ length: 1001 }, (_, i) => `x${i}@contoso.com`).join(', ')}]`),
    ),
    `${here}.to`,
    /more than 1000 addresses/,
  ],
  [
    'a catch-all that is nobody',
    withAliases('', 'catchAll: anm@fabrikam.com'),
    'organizations[0].acceptedDomains[0].catchAll',
    /no mailbox.*mean "ann@fabrikam\.com"/,
  ],
];

for (const [what, yaml, key, words] of refusals) {
  test(`refuses ${what}`, () => {
    const errors = errorsOf(yaml);
    const found = errors.find((text) => text.includes(` ${key}: `));
    assert.ok(found !== undefined, errors.join('\n') || 'no error at all');
    assert.match(found, words);
  });
}

test('a chain of ten, addresses elsewhere and a catch-all to an alias are good', () => {
  const chain = Array.from({ length: 10 }, (_, i) =>
    one(`a${i}`, i === 9 ? '[ann@fabrikam.com, x@contoso.com]' : `a${i + 1}@fabrikam.com`),
  );
  assert.deepEqual(errorsOf(withAliases(chain.join('\n'), 'catchAll: a0@fabrikam.com')), []);
});

test('warns of listed recipients that a mailbox here has taken', () => {
  const yaml = withAliases('', 'recipients: [ann, cy], deliveryTarget: s').concat(
    '    deliveryTargets: [{ name: s, protocol: lmtp, address: "unix:/run/lmtp" }]\n',
  );
  const texts = problemsOf(yaml).map(formatProblem);
  assert.equal(texts.length, 1);
  assert.match(texts[0]!, /warning: .*recipients: ann@fabrikam\.com are mailboxes or aliases/);
});

test('ten thousand aliases in many layers are checked in bounded time', () => {
  const aliases = Array.from({ length: 10_000 }, (_, i) => {
    const layer = i % 5;
    const to = layer === 4 ? 'ann' : `l${i + 1}`;
    return `  - { address: l${i}@fabrikam.com, to: [${to}@fabrikam.com, bob@fabrikam.com] }`;
  });
  const before = process.cpuUsage();
  assert.deepEqual(errorsOf(withAliases(aliases.join('\n'))), []);
  assert.ok(process.cpuUsage(before).user < 20_000_000);
});
