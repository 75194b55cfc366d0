/** What reaches us beside mail: DNS answers and the configuration file. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { decode, encode } from 'dns-packet';
import type { Answer } from 'dns-packet';
import * as fc from 'fast-check';
import { addMailbox } from '../../../src/config/edit-mailboxes.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { formatProblem, problemsMax } from '../../../src/config/problem.ts';
import { readYaml } from '../../../src/config/read-yaml.ts';
import { encodeQuery, readMessage } from '../../../src/dns/message.ts';
import type { DnsMessage } from '../../../src/dns/message.ts';
import { Failure } from '../../../src/mail/failure.ts';
import { soup } from '../arbitraries.ts';
import type { FuzzTarget } from '../target.ts';

const dnsName = fc.oneof(fc.domain(), fc.constantFrom('a', 'mx.a.test', '.', 'xn--a.test'));
const ttl = fc.nat({ max: 2 ** 31 });
const answer: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({ type: fc.constant('A' as const), name: dnsName, ttl, data: fc.ipV4() }),
  fc.record({ type: fc.constant('AAAA' as const), name: dnsName, ttl, data: fc.ipV6() }),
  fc.record({ type: fc.constant('CNAME' as const), name: dnsName, ttl, data: dnsName }),
  fc.record({
    type: fc.constant('TXT' as const),
    name: dnsName,
    ttl,
    data: fc.string({ maxLength: 200 }),
  }),
  fc.record({
    type: fc.constant('MX' as const),
    name: dnsName,
    ttl,
    data: fc.record({ preference: fc.nat({ max: 65_535 }), exchange: dnsName }),
  }),
  fc.record({
    type: fc.constant('TLSA' as const),
    name: dnsName,
    ttl,
    data: fc.record({
      usage: fc.nat({ max: 255 }),
      selector: fc.nat({ max: 255 }),
      matchingType: fc.nat({ max: 255 }),
      certificate: fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array)),
    }),
  }),
);
const response = fc
  .record({
    id: fc.nat({ max: 65_535 }),
    flags: fc.nat({ max: 0x7fff }),
    questions: fc.array(fc.record({ type: fc.constant('MX' as const), name: dnsName }), {
      maxLength: 2,
    }),
    answers: fc.array(answer, { maxLength: 6 }),
    authorities: fc.array(answer, { maxLength: 2 }),
  })
  .map((parts) => encode({ type: 'response', ...parts }));

const dnsAnswers: FuzzTarget = {
  name: 'dns-answers',
  files: ['src/dns/message.ts'],
  structured: response,
  tokens: [
    '\xc0\x0c',
    '\xc0\x00',
    '\xff\xff',
    '\0',
    '\x3f',
    '\x40',
    '\x01a\0',
    '\0\x01\0\x01',
    '\0\x0f',
    '\xc0\xff',
  ],
  sizeBytesMax: 4000,
  parse: (input) => readMessage(input),
  check(input) {
    const message = readMessage(input);
    if (message === null) return 'none';
    const records = [...message.answers, ...message.authorities];
    const names = [
      ...message.questions.map(({ name }) => name),
      ...records.map(({ owner }) => owner),
    ];
    for (const name of names) {
      assert.match(name, /^(?:[\x21-\x5b\x5d-\x7e]|\\\d{3})*$/, 'a name is printable');
      assert.equal(name, name.toLowerCase());
      assert.ok(name.length <= 4 * 255);
    }
    assert.ok(records.length <= 1000 && records.every(({ ttlSeconds }) => ttlSeconds < 2 ** 31));
    compareWithDnsPacket(input);
    if (names[0] !== undefined && /^[a-z0-9.-]{1,200}$/.test(names[0]))
      encodeQuery(1, { type: 'A', name: 'a.test' }, true);
    const types = [...new Set(records.map(({ type }) => type))].sort().join();
    return `${message.isTruncated ? 'cut' : 'whole'} ${message.questions.length} ${types}`;
  },
};

/**
 * What dns-packet reads of plain records, and writes again, we read as it does. Not of the input
 * itself: it passes over the lengths of records, and knows multicast's bit in the class.
 */
function compareWithDnsPacket(input: Buffer): void {
  let plain: readonly Answer[];
  let message: DnsMessage | null;
  try {
    plain = (decode(input).answers ?? []).filter(isPlainAnswer);
    message = readMessage(encode({ type: 'response', answers: [...plain] }));
  } catch {
    // It fails in places of its own: no second opinion then.
    return;
  }
  assert.ok(message !== null, 'what dns-packet writes is read');
  const ours = message.answers.map(({ type, owner, data }) => {
    if (type === 'MX') return `MX ${owner} ${data.preference} ${data.exchange}`;
    return `${type} ${owner} ${typeof data === 'string' ? data : ''}`;
  });
  assert.deepEqual(ours, plain.map(describeAnswer), 'dns-packet reads the same');
}

const plainName = /^(?=.{1,253}$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*$/i;

function isPlainAnswer(answer: Answer): boolean {
  if (!('class' in answer) || answer.class !== 'IN' || answer.flush === true) return false;
  if (!plainName.test(answer.name)) return false;
  if (answer.type === 'MX') return plainName.test(answer.data.exchange);
  if (answer.type === 'CNAME') return plainName.test(answer.data);
  // It reads an address that is cut short, too.
  return answer.type === 'A' && isIPv4(answer.data);
}

function describeAnswer(answer: Answer): string {
  const owner = answer.name.toLowerCase();
  if (answer.type === 'MX') {
    const { preference, exchange } = answer.data;
    return `MX ${owner} ${preference} ${exchange.toLowerCase()}`;
  }
  assert.ok(answer.type === 'A' || answer.type === 'CNAME');
  return `${answer.type} ${owner} ${answer.data.toLowerCase()}`;
}

const examples = join(import.meta.dirname, '..', '..', '..', 'examples');
const configs = readdirSync(examples)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readYaml(readFileSync(join(examples, name), 'utf8')).value as object);

const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    null,
    true,
    0,
    -1,
    1e21,
    '',
    '*',
    '*.com',
    '10m',
    '50MB',
    'yes',
    '::',
    '192.0.2.0/24',
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom([], {}, [[]], [null], { a: 1 }, ['a.test', 'a.test'], ['*']),
);

/** An example with some of its values replaced, as JSON, which is YAML. */
const changedConfig = fc
  .tuple(
    fc.constantFrom(...configs),
    fc.array(fc.tuple(fc.nat({ max: 200 }), oddValue), { maxLength: 3 }),
  )
  .map(([config, changes]) => {
    const copy = JSON.parse(JSON.stringify(config)) as object;
    for (const [place, value] of changes) {
      const slots = slotsOf(copy);
      const [holder, key] = slots[place % slots.length]!;
      // A copy: the same value in two places could come to hold itself.
      holder[key] = structuredClone(value);
    }
    return Buffer.from(JSON.stringify(copy, null, 1));
  });

type Holder = Record<string, unknown>;

/** Every place of a value, from the outside in. */
function slotsOf(value: object): (readonly [Holder, string])[] {
  const holder = value as Holder;
  return Object.keys(value).flatMap((key) => {
    const inner = holder[key];
    const own = [holder, key] as const;
    return typeof inner === 'object' && inner !== null ? [own, ...slotsOf(inner)] : [own];
  });
}

const yamlTokens = [
  '\n',
  '\n  ',
  '\t',
  '- ',
  ': ',
  '[',
  ']',
  '{',
  '}',
  ', ',
  '&a ',
  '*a ',
  '<<: ',
  '!!binary ',
  '| ',
  '> ',
  '? ',
  '#',
  '---\n',
  '...\n',
  '%YAML 1.1\n',
  '"',
  "'",
  '\\',
  '\0',
  '\xef\xbb\xbf',
  'organizations:\n  - id: a\n',
  'listeners: [{ name: mx, kind: mx, port: 25 }]\n',
  '__proto__: ',
  'constructor: ',
  '~',
];

const configuration: FuzzTarget = {
  name: 'configuration',
  files: [
    'src/config/load.ts',
    'src/config/read-yaml.ts',
    'src/config/edit-mailboxes.ts',
    'src/config/unknown-key.ts',
  ],
  structured: fc.oneof({ weight: 3, arbitrary: changedConfig }, soup(yamlTokens, 40)),
  tokens: yamlTokens,
  sizeBytesMax: 2500,
  growthBytes: 1024,
  parse: (input) => parseConfig(input.toString(), 'postern.yaml'),
  check(input) {
    const text = input.toString();
    const result = parseConfig(text, 'postern.yaml');
    const problems = result.kind === 'loaded' ? result.warnings : result.problems;
    assert.ok(problems.length <= problemsMax + 1);
    const lines = text.split(/\r\n|\r|\n/).length;
    for (const problem of problems) {
      assert.ok(problem.line >= 1 && problem.line <= lines + 1, 'the line stands in the file');
      assert.ok(problem.column >= 1 && problem.text.length > 0);
      assert.ok(formatProblem(problem).length < 4000, 'a problem is short');
    }
    assert.equal((Object.prototype as Holder)['a'], undefined, 'no prototype was written to');
    if (result.kind === 'refused') {
      assert.ok(problems.some(({ severity }) => severity === 'error'));
      return problems[0]!.text.replace(/"[^"]*"|\d+|'[^']*'/g, '…').slice(0, 60);
    }
    checkEdit(text);
    return `loaded with ${Math.min(3, problems.length)} warnings`;
  },
};

/** A mailbox can be added to what loads, or it is said why not; the result still loads. */
function checkEdit(text: string): void {
  const mailbox = {
    place: 0,
    account: 'fuzz-added',
    addresses: ['fuzz-added@fabrikam.com'],
    passwordHash: null,
  };
  try {
    const edited = addMailbox(text, mailbox);
    assert.ok(edited.includes('fuzz-added'));
    assert.ok(parseConfig(edited, 'postern.yaml') !== null);
  } catch (error) {
    assert.ok(error instanceof Failure, 'an edit fails with a code');
  }
}

export const surroundingsTargets: readonly FuzzTarget[] = [dnsAnswers, configuration];
