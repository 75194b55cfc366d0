import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { run } from '../../../test/support/command-line.ts';
import { FakePolicyObjects } from '../../../test/support/policy-objects.ts';
import { exchangeNameOf, onlyOnSet } from '../cmdlets/exchange-names.ts';
import type { ObjectField } from './object-field.ts';
import { fieldOf, fieldsOf } from './object-field.ts';
import type { PolicyKind, PolicyKindName } from './policy-kind.ts';
import { policyKinds } from './policy-kind.ts';
import { formatList } from './split-list.ts';

/** Values that the schema takes, by keys without `exceptIf` and in lower case. */
const samples: Readonly<Record<string, readonly string[]>> = {
  name: [
    'Contoso',
    'Contoso Outbound Connector',
    '"quoted"',
    "O'Brien",
    'a,b',
    '-dash',
    '$100',
    'a:b',
  ],
  domain: ['contoso.example', 'sub.contoso.example'],
  comment: ['', 'two words', 'a, b; c', '@ home', 'line\nline', '`tick`', '"q" r'],
  recipientdomains: ['*.contoso.com', 'contoso.com', '*'],
  senderdomains: ['*.contoso.com', 'contoso.com', '*'],
  except: ['a.contoso.com'],
  smarthosts: ['mail.contoso.com', '192.0.2.1', 'mail.contoso.com:26', '[2001:db8::1]:26'],
  tlsdomain: ['*.contoso.com', 'mail.contoso.com'],
  tlssendercertificatename: ['*.contoso.com', 'mail.contoso.com'],
  pins: [`${'A'.repeat(43)}=`],
  anchors: ['system', './ca.pem'],
  clientcertificate: ['main', 'a b'],
  trustedorganizations: ['adatum', 'litware'],
  senderipaddresses: ['192.0.2.0/24', '2001:db8::/32'],
  associatedaccepteddomains: ['fabrikam.com'],
  requiretlstemporary: ['1h', '30m'],
  efskipips: ['192.0.2.1', '198.51.100.1-198.51.100.9'],
  efusers: ['ann@fabrikam.com'],
  owner: ['Ann', 'ann@fabrikam.com'],
  reviewdate: ['2027-03-31'],
  revocation: ['not-checked'],
  lastvalidationtimestamp: ['2026-11-28T09:30:00Z'],
  validationevery: ['6h', '7d'],
  validationrecipients: ['ann@contoso.com', 'bob@contoso.com'],
  deliverytarget: ['dovecot'],
  recipients: ['ann', 'bob'],
  catchall: ['ann@fabrikam.com'],
  activationdate: ['2027-03-31', '2027-03-31T08:00:00Z'],
  expirydate: ['2027-03-31'],
  messagesizeover: ['10MB', '5KB', '300B'],
  senderipranges: ['192.0.2.0/24', '198.51.100.1'],
  attachmentcontenttypeis: ['application/pdf', 'image/*'],
  hasclassification: ['Secret', 'a b'],
  routemessageoutboundconnector: ['Scanner'],
  overrides: ['Contoso', 'a b'],
  rejectmessagereasontext: ['Not here, please.'],
  rejectmessageenhancedstatuscode: ['5.7.1', '5.7.900'],
  setheadername: ['X-Class'],
  setheadervalue: ['secret', 'a, b'],
  removeheader: ['X-Old'],
  headercontainsmessageheader: ['X-Class'],
  headermatchesmessageheader: ['X-Class'],
  prependsubject: ['[out] '],
};

function samplesOf({ key }: ObjectField): readonly string[] {
  const bare = key.replace(/^exceptIf/, '').toLowerCase();
  const own = samples[bare];
  if (own !== undefined) return own;
  if (bare === 'comments') return samples['comment']!;
  if (bare.endsWith('patterns')) return ['^a{1,3}$', '[a,b]', 'x\\(,y', '(a,b)|c', 'a;b'];
  if (bare === 'attachmentextensionmatcheswords') return ['exe', 'docm'];
  if (bare.endsWith('words')) return ['confidential', 'strictly internal', 'hello, world', "it's"];
  if (bare.endsWith('domainis')) return ['contoso.com', 'adatum.com'];
  return ['ann@fabrikam.com', 'bob@contoso.com'];
}

/** A value, and how each spelling writes it. */
interface Written {
  readonly field: ObjectField;
  readonly cmdlet: readonly string[];
  readonly kebab: readonly string[];
}

function writtenOf({ kind }: PolicyKind, field: ObjectField): fc.Arbitrary<Written> {
  const { name } = exchangeNameOf(kind, field.key);
  const option = `--${field.option}`;
  if (field.takes === 'flag') {
    const words = field.words!.length === 1 ? [false] : [true, false];
    return fc
      .record({ value: fc.constantFrom(...words), style: fc.nat(3) })
      .map(({ value, style }) => {
        const word = value ? 'true' : 'false';
        const cmdlet = [
          [`-${name}`, `$${word}`],
          [`-${name.toLowerCase()}:$${word}`],
          [`-${name}`, word],
          [`-${name.toUpperCase()}:${value ? '1' : '0'}`],
        ][style]!;
        return { field, cmdlet, kebab: value && style > 1 ? [option] : [option, word] };
      });
  }
  if (field.takes === 'one') {
    const values = field.words ?? samplesOf(field);
    return fc
      .record({ value: fc.constantFrom(...values), isLower: fc.boolean() })
      .map(({ value, isLower }) => {
        const isSize = field.key.toLowerCase().endsWith('messagesizeover');
        const cased = isLower && field.words !== null ? value.toLowerCase() : value;
        // Exchange's units are powers of 1024.
        const kebab = isSize ? value.replace(/([KM])B/, '$1iB') : value;
        return { field, cmdlet: [`-${name}:${quoteAlways(cased)}`], kebab: [`${option}=${kebab}`] };
      });
  }
  const several = fc.uniqueArray(fc.constantFrom(...samplesOf(field)), {
    minLength: 1,
    maxLength: 3,
  });
  const lists = fc
    .record({ values: several, isRepeated: fc.boolean() })
    .map(({ values, isRepeated }) => {
      const kebab = isRepeated
        ? values.flatMap((value) => [option, formatList([value])])
        : [option, formatList(values)];
      const cmdlet = [`-${name}`, isRepeated ? `@(${formatList(values)})` : formatList(values)];
      return { field, cmdlet, kebab };
    });
  if (field.takes === 'list') return lists;
  const word = fc.constantFrom(...field.words!).map((value) => ({
    field,
    cmdlet: [`-${name}`, value.toUpperCase()],
    kebab: [option, value],
  }));
  return fc.oneof(lists, word);
}

function quoteAlways(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

const nouns: Readonly<Record<PolicyKindName, readonly [string, string]>> = {
  'inbound-connector': ['connector', 'inbound'],
  'outbound-connector': ['connector', 'outbound'],
  'accepted-domain': ['domain', ''],
  rule: ['rule', ''],
};

function kebabCommand(kind: PolicyKindName, action: string): readonly string[] {
  const [noun, direction] = nouns[kind];
  return [noun, action, direction].filter((word) => word !== '');
}

async function changesOf(argv: readonly string[], fake: FakePolicyObjects): Promise<unknown> {
  fake.isStrict = false;
  const result = await run(argv, { io: fake.io });
  assert.equal(result.code, 0, `${argv.join(' ')}\n${result.stderr}`);
  return fake.asked;
}

function someOf(
  kind: PolicyKind,
  fields: readonly ObjectField[],
): fc.Arbitrary<readonly Written[]> {
  return fc
    .subarray([...fields], { maxLength: Math.min(8, fields.length) })
    .chain((chosen) => fc.tuple(...chosen.map((field) => writtenOf(kind, field))));
}

for (const kind of Object.values(policyKinds)) {
  const name = fieldOf(kind, kind.nameKey);
  const settable = fieldsOf(kind).filter(
    ({ key }) => key !== kind.nameKey && !onlyOnSet.includes(exchangeNameOf(kind.kind, key).name),
  );
  const required = kind.kind === 'inbound-connector' ? [fieldOf(kind, 'senderDomains')] : [];

  test(`New-${kind.noun} and ${kebabCommand(kind.kind, 'create').join(' ')} make the same object`, async () => {
    const optional = settable.filter((field) => !required.includes(field));
    const written = fc.tuple(
      ...[name, ...required].map((field) => writtenOf(kind, field)),
      someOf(kind, optional),
    );
    await fc.assert(
      fc.asyncProperty(written, async (parts) => {
        const all = parts.flat();
        const cmdlet = await changesOf(
          [`New-${kind.noun}`, ...all.flatMap((each) => each.cmdlet)],
          new FakePolicyObjects(),
        );
        const kebab = await changesOf(
          [...kebabCommand(kind.kind, 'create'), ...all.flatMap((each) => each.kebab)],
          new FakePolicyObjects(),
        );
        assert.deepEqual(cmdlet, kebab);
      }),
      { numRuns: 60 },
    );
  });

  test(`Set-${kind.noun} and ${kebabCommand(kind.kind, 'set').join(' ')} make the same change`, async () => {
    const before = { [kind.nameKey]: 'one.example', ...beforeOf(kind.kind) };
    const makeFake = () => new FakePolicyObjects(['fabrikam'], { [kind.kind]: [before] });
    const listKey = Object.keys(before).find((key) => Array.isArray(before[key as never]))!;
    const other = Object.keys(before).at(-1)!;
    const free = settable.filter(({ key }) => key !== listKey && key !== other);
    await fc.assert(
      fc.asyncProperty(
        someOf(kind, free),
        fc.boolean(),
        fc.boolean(),
        async (parts, isEdited, isUnset) => {
          if (parts.length === 0 && !isEdited && !isUnset) return;
          const [list, gone] = [fieldOf(kind, listKey), fieldOf(kind, other)];
          const [added] = samplesOf(list);
          const listName = exchangeNameOf(kind.kind, listKey).name;
          const removed = (before as Readonly<Record<string, readonly string[]>>)[listKey]![0]!;
          const cmdlet = [
            ...parts.flatMap((each) => each.cmdlet),
            ...(isEdited ? [`-${listName}`, `@{Add="${added!}";Remove='${removed}'}`] : []),
            ...(isUnset ? [`-${exchangeNameOf(kind.kind, other).name}`, '$null'] : []),
          ];
          const kebab = [
            ...parts.flatMap((each) => each.kebab),
            ...(isEdited
              ? ['--add', `${list.option}=${added!}`, '--remove', `${list.option}=${removed}`]
              : []),
            ...(isUnset ? ['--unset', gone.option] : []),
          ];
          assert.deepEqual(
            await changesOf([`Set-${kind.noun}`, 'ONE.example', ...cmdlet], makeFake()),
            await changesOf(
              [...kebabCommand(kind.kind, 'set'), 'ONE.example', ...kebab],
              makeFake(),
            ),
          );
        },
      ),
      { numRuns: 40 },
    );
  });
}

/** A list first, and a text last that may be taken away. */
function beforeOf(kind: PolicyKindName): Readonly<Record<string, unknown>> {
  const before: Readonly<Record<PolicyKindName, Readonly<Record<string, unknown>>>> = {
    'inbound-connector': { senderDomains: ['old.example'], owner: 'Ann' },
    'outbound-connector': { recipientDomains: ['old.example'], tlsSettings: 'EncryptionOnly' },
    'accepted-domain': { recipients: ['old'], catchAll: 'ann@fabrikam.com' },
    rule: { senderDomainIs: ['old.example'], prependSubject: 'x' },
  };
  return before[kind];
}
