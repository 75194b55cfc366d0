/** The changes of an API order as the ones that are applied. */
import type { ChangesOrder } from '../../api/contract/policy-objects.ts';
import { Failure } from '../../mail/failure.ts';
import type { Expectation, RequestedChange } from './requested-change.ts';

/** Throws a Failure `api-request-invalid` for an expectation that is none. */
export function toRequests(changes: ChangesOrder['changes']): readonly RequestedChange[] {
  return changes.map((change) => {
    const shared = { key: change.object, expect: readExpectation(change.expect) };
    if (change.kind === 'remove') {
      return { ...shared, kind: 'remove', withContents: change.withContents };
    }
    return { ...shared, kind: change.kind, value: change.value, place: change.place };
  });
}

/** One word, or etags as If-Match has them. @see RFC 9110 §13.1.1 */
function readExpectation(text: string): Expectation {
  if (text === 'any' || text === 'present' || text === 'absent') return { kind: text };
  const etags = text.split(',').map((each) => /^"(\d{1,12})"$/.exec(each.trim())?.[1]);
  if (etags.some((each) => each === undefined)) {
    const what = 'must be any, present, absent, or an etag as the object has it, in its quotes';
    throw new Failure('api-request-invalid', `expect (If-Match) ${what}`);
  }
  return { kind: 'version', revisions: etags.map(Number) };
}
