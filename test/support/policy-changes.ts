/** Parts of policies before and after a change, for properties of changes. */
import * as fc from 'fast-check';

/** Null where there is none. */
export interface Change<Part> {
  readonly name: string;
  readonly before: Part | null;
  readonly after: Part | null;
}

/** One for each name; before and after mostly have most in common. */
export function changed<Part extends object>(
  part: fc.Arbitrary<Part>,
  names: readonly string[],
): fc.Arbitrary<readonly Change<Part>[]> {
  return fc
    .tuple(
      ...names.map(() =>
        fc.record({
          before: fc.option(part),
          after: fc.option(part),
          change: part,
          keys: fc.integer({ min: 0, max: 0xffff }),
          isNew: fc.boolean(),
        }),
      ),
    )
    .map((all) =>
      all.map(({ before, after, change, keys, isNew }, place) => {
        const partly = before === null ? null : { ...before };
        Object.entries(change).forEach(([key, value], at) => {
          if (partly !== null && ((keys >> at) & 7) === 7) Object.assign(partly, { [key]: value });
        });
        return { name: names[place]!, before, after: isNew ? after : partly };
      }),
    );
}
