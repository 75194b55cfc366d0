import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgePassword } from './password-rules.ts';

const names = ['ada.lovelace@contoso.com', 'Ada Lovelace'];

for (const [what, password] of [
  ['an empty password', ''],
  ['eleven characters', 'k7Qm-zt2Wpx'],
  ['eleven characters of two units each', '😀😁😂😃😄😅😆😇😈😉😊'],
  ['one character again and again', 'aaaaaaaaaaaaaaaa'],
  ['two characters in turn', 'abababababababab'],
  ['a control character', 'correct\u0000horse battery'],
  ['a line end', 'correct horse battery\n'],
  ['the name itself', 'ada.lovelace@contoso.com'],
  ['the name in capitals', 'ADA LOVELACE'],
  ['the name with a year', 'ada.lovelace2026'],
  ['the name twice', 'ada lovelaceada lovelace!'],
  ['1025 bytes', 'abcde'.repeat(205)],
] as const) {
  test(`refuses ${what}`, () => {
    assert.notEqual(judgePassword(password, names), null);
  });
}

for (const password of [
  'correct horse',
  'k7Qm-zt2Wpx!',
  'äöüß äöüß äöüß',
  'ada likes her engine',
]) {
  test(`takes ${password}`, () => {
    assert.equal(judgePassword(password, names), null);
  });
}
