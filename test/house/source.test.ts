/** The scanner that the house rules stand on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importsOf, makeSource, roomOf, withoutComments } from './source.ts';

test('blanks comments and keeps lines and columns', () => {
  const text = "a; // b\nc; /* d\ne */ f('// g');\n";
  assert.equal(withoutComments(text), "a;     \nc;     \n     f('// g');\n");
});

test('blanks strings, templates and regular expressions, and keeps the code inside templates', () => {
  const text = "x('Date.now()', `a ${y({ b: `c ${z}` })} '`, /'[/]\\/'/.test(q)); v / w / u;";
  const code = withoutComments(text, true);
  assert.equal(code.length, text.length);
  assert.deepEqual(code.match(/\w+/g), ['x', 'y', 'b', 'z', 'test', 'q', 'v', 'w', 'u']);
});

test('finds imports of every form, and none in comments or strings', () => {
  const source = makeSource(
    'src/smtp/x.ts',
    "import type { A } from './a.ts';\n" +
      "import {\n  type B,\n  c,\n} from '../mail/b.ts';\n" +
      "import './side.ts';\n" +
      "export { d } from './d.ts';\n" +
      "const e = await import('node:net');\n" +
      "// import { f } from './f.ts';\n" +
      "const g = `\nimport './g.ts';\n${import('./h.ts')}`;\n",
  );
  const found = importsOf(source).map(({ path, specifier, isTypeOnly, isReExport }) =>
    [path ?? specifier, isTypeOnly, isReExport].join(' '),
  );
  assert.deepEqual(found, [
    'src/smtp/a.ts true false',
    'src/mail/b.ts false false',
    'src/smtp/side.ts false false',
    'src/smtp/d.ts false true',
    'node:net false false',
    'src/smtp/h.ts false false',
  ]);
});

test('knows the room of a file', () => {
  assert.equal(roomOf('src/standards/dsn/xtext.ts'), 'standards');
  assert.equal(roomOf('src/index.ts'), null);
  assert.equal(roomOf('test/house/source.ts'), null);
});
