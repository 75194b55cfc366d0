/** What is said of parameters of main.cf that make no object of their own. */
import type { MoveLine } from './move-report.ts';
import type { MainCf, Setting } from './postfix-main-cf.ts';
import { spotOf } from './postfix-main-cf.ts';
import { sayOf } from './postfix-parameter-words.ts';
import type { Said } from './postfix-restrictions.ts';

/** Every setting that is not in `told` gets a line, and says what is unprotected without it. */
export function tellParameters(
  main: MainCf,
  told: ReadonlySet<string>,
): { readonly lines: readonly MoveLine[]; readonly unprotected: readonly string[] } {
  const lines: MoveLine[] = [];
  const unprotected: string[] = [];
  const add = (setting: Setting, { outcome, text, unprotected: what }: Said): void => {
    lines.push({ ...spotOf(setting), subject: '', outcome, text });
    if (what !== undefined) unprotected.push(what);
  };
  for (const setting of main.settings) {
    const { property, isOverridden } = setting;
    const { text: value, problem } = main.parameters.read(property);
    if (isOverridden) add(setting, { outcome: 'left-out', text: 'a later line sets it again' });
    else if (problem !== null) {
      add(setting, {
        outcome: 'not-possible',
        text: `its value ${problem}; Postfix refuses it too`,
      });
    }
    if (!isOverridden && !told.has(property)) add(setting, sayOf(property, value));
  }
  for (const spot of main.strange) {
    const text = 'sets nothing: it has no "="';
    lines.push({ ...spot, subject: '', outcome: 'not-possible', text });
  }
  return { lines, unprotected };
}
