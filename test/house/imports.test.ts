/** The arrow: rooms import downward only, and say which file they mean. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SourceFile } from './source.ts';
import { importsOf, makeSource, readSources, roomOf, root, withoutComments } from './source.ts';

/** Which rooms each room may import; `a/b` is that one file or folder. Changing it takes an ADR. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  mail: [],
  standards: ['mail'],
  policy: ['mail', 'standards'],
  smtp: ['mail', 'standards/dsn/xtext', 'standards/dsn/utf8-address'],
  dns: ['mail', 'standards'],
  https: ['mail', 'dns'],
  config: ['mail', 'standards', 'policy'],
  tls: ['mail', 'standards', 'policy'],
  store: ['mail', 'standards', 'policy', 'report/record', 'report/audit-chain'],
  report: ['mail', 'standards', 'policy'],
  content: ['mail', 'standards', 'policy'],
  identity: ['mail'],
  queue: ['mail', 'policy', 'store', 'report'],
  delivery: ['mail', 'standards', 'policy', 'dns', 'https', 'tls', 'smtp', 'content', 'report'],
  receiving: ['mail', 'standards', 'policy', 'dns', 'tls', 'smtp', 'content', 'report'],
  api: [
    'mail',
    'policy',
    'config',
    'store',
    'queue',
    'report',
    'identity/actor',
    'identity/permissions',
    'identity/session-rules',
    'identity/oidc-cookie',
  ],
  console: ['api/client', 'api/contract'],
  testing: [],
  cli: ['api/client', 'api/contract', 'mail', 'policy', 'config'],
  app: ['*'],
};

/** The faces of the package: `postern` and `postern/testing`. */
const barrels = ['src/index.ts', 'src/testing.ts'];

/** npm packages of the pure rooms; elsewhere any dependency, in tests any development dependency. */
const pureRooms = ['mail', 'standards', 'policy'];
const purePackages = ['ipaddr.js', 'tldts', 're2js'];

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;

function judgeArrow(source: SourceFile): string[] {
  const room = roomOf(source.path);
  if (room === null || source.isTest) return [];
  const allowed = mayImport[room];
  if (allowed === undefined) return [`${source.path}: src/${room} is no room of the house`];
  return importsOf(source).flatMap(({ path }) => {
    if (path === null) return [];
    const isAllowed =
      path.startsWith(`src/${room}/`) ||
      (allowed.includes('*') && path.startsWith('src/')) ||
      allowed.some((entry) => path.startsWith(`src/${entry}/`) || path === `src/${entry}.ts`);
    return isAllowed ? [] : [`${source.path}: ${room} may not import ${path}`];
  });
}

/** Tests use their own room, what is below, the sources' test support, and the rooms they fake. */
function judgeTestImports(source: SourceFile): string[] {
  const room = roomOf(source.path);
  if (room === null || !source.isTest) return [];
  return importsOf(source).flatMap(({ path }) => {
    const isFine = path === null || path.startsWith('test/support/') || path.startsWith('src/');
    return isFine ? [] : [`${source.path}: a test may not import ${path}`];
  });
}

function judgePackages(source: SourceFile): string[] {
  const room = roomOf(source.path);
  return importsOf(source).flatMap(({ path, specifier }) => {
    if (path !== null) return [];
    if (specifier.startsWith('node:')) return [];
    const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
    if (builtinModules.includes(name)) return [`${source.path}: write node:${name}`];
    const isTestCode = source.isTest || !source.path.startsWith('src/');
    const isPure = !isTestCode && room !== null && pureRooms.includes(room);
    const isAllowed = isPure
      ? purePackages.includes(name)
      : Object.hasOwn(manifest.dependencies, name) ||
        (isTestCode && Object.hasOwn(manifest.devDependencies, name));
    return isAllowed ? [] : [`${source.path}: may not import the package ${specifier}`];
  });
}

function judgeSpecifiers(source: SourceFile, exists: (path: string) => boolean): string[] {
  return importsOf(source).flatMap(({ path, specifier }) => {
    if (path === null) return [];
    if (!/\.(?:tsx?|json)$/.test(path)) return [`${source.path}: ${specifier} lacks its .ts`];
    if (path.endsWith('/index.ts') && !barrels.includes(path)) {
      return [`${source.path}: ${specifier} is a barrel`];
    }
    return exists(path) ? [] : [`${source.path}: ${specifier} does not exist`];
  });
}

/** A barrel only hands on; a room does not hand on what belongs to another. */
function judgeBarrel(source: SourceFile): string[] {
  if (barrels.includes(source.path)) return [];
  const reExports = importsOf(source).filter(({ isReExport }) => isReExport);
  if (reExports.length === 0) return [];
  const foreign = reExports.filter(
    ({ path }) => path === null || roomOf(path) !== roomOf(source.path),
  );
  const own = withoutComments(source.text, true).match(
    /^export (?:async )?(?:const|function|class|interface|type \w+ =|type \w+<)/m,
  );
  return [
    ...foreign.map(({ specifier }) => `${source.path}: hands on ${specifier} of another room`),
    ...(own === null ? [`${source.path}: is a barrel`] : []),
  ];
}

const sources = readSources('src');
const everything = readSources('src', 'test', 'scripts', 'benchmarks', 'examples');

test('every room imports downward only', () => {
  assert.deepEqual(sources.flatMap(judgeArrow), []);
});

test('tests import sources and test support only', () => {
  assert.deepEqual(sources.flatMap(judgeTestImports), []);
});

test('imports name the file that is meant', () => {
  const exists = (path: string): boolean => existsSync(join(root, path));
  assert.deepEqual(
    everything.flatMap((source) => judgeSpecifiers(source, exists)),
    [],
  );
});

test('there is no barrel but the faces of the package', () => {
  assert.deepEqual(sources.flatMap(judgeBarrel), []);
});

test('packages are dependencies, and the pure rooms use the pure ones only', () => {
  assert.deepEqual(everything.flatMap(judgePackages), []);
});

const breaches: readonly (readonly [string, (source: SourceFile) => string[], string, string])[] = [
  ['an import upward', judgeArrow, 'src/mail/x.ts', "import type { P } from '../policy/p.ts';\n"],
  ['an import sideways', judgeArrow, 'src/queue/x.ts', "import { d } from '../delivery/d.ts';\n"],
  [
    'a private door of the CLI',
    judgeArrow,
    'src/cli/x.ts',
    "import { r } from '../api/routes.ts';\n",
  ],
  [
    'an import out of src',
    judgeArrow,
    'src/app/x.ts',
    "import { f } from '../../test/support/f.ts';\n",
  ],
  ['a new room', judgeArrow, 'src/utils/x.ts', ''],
  ['a dynamic import upward', judgeArrow, 'src/tls/x.ts', "await import('../queue/q.ts');\n"],
  ['a package in a pure room', judgePackages, 'src/policy/x.ts', "import { z } from 'zod';\n"],
  [
    'a development package in src',
    judgePackages,
    'src/smtp/x.ts',
    "import { a } from 'fast-check';\n",
  ],
  ['a builtin without node:', judgePackages, 'src/smtp/x.ts', "import { a } from 'fs';\n"],
  [
    'a missing suffix',
    (s) => judgeSpecifiers(s, () => true),
    'src/smtp/x.ts',
    "import { a } from './a';\n",
  ],
  [
    'a file that is not there',
    (s) => judgeSpecifiers(s, () => false),
    'src/smtp/x.ts',
    "import { a } from './a.ts';\n",
  ],
  [
    'an import of a barrel',
    (s) => judgeSpecifiers(s, () => true),
    'src/smtp/x.ts',
    "import { a } from '../mail/index.ts';\n",
  ],
  ['a barrel', judgeBarrel, 'src/smtp/x.ts', "export { a } from './a.ts';\n"],
  [
    'a hand-on of another room',
    judgeBarrel,
    'src/smtp/x.ts',
    "export { a } from '../mail/a.ts';\nexport const b = 1;\n",
  ],
  [
    'a test that reaches elsewhere',
    judgeTestImports,
    'src/smtp/x.test.ts',
    "import { a } from '../../scripts/a.ts';\n",
  ],
];
for (const [name, judge, path, text] of breaches) {
  test(`the rule sees ${name}`, () => assert.equal(judge(makeSource(path, text)).length, 1));
}
