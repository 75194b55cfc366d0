/**
 * Whether two lists of a policy say the same. Of two policies most is the same, and a policy is compared
 * at least twice, as what comes and as what was: what each part says is written down once.
 */

/** Parts of policies never change. */
const texts = new WeakMap<object, string>();

/** In the same order, up to the first that differs. */
export function areAlike(before: readonly object[], after: readonly object[]): boolean {
  return (
    before.length === after.length &&
    before.every((each, place) => textOf(each) === textOf(after[place]!))
  );
}

/** Those of `some` that none of `others` says the same as. */
export function missingFrom<Part extends object>(
  others: readonly Part[],
  some: readonly Part[],
): readonly Part[] {
  const known = new Set(others.map(textOf));
  return some.filter((each) => !known.has(textOf(each)));
}

function textOf(part: object): string {
  const known = texts.get(part);
  if (known !== undefined) return known;
  const text = JSON.stringify(part);
  texts.set(part, text);
  return text;
}
