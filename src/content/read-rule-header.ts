/** The header as mail-flow rules look at it: fields by lower-case name, values unfolded and decoded. */
import type { HeaderFrom } from '../policy/judge-sender.ts';
import { loopField } from '../policy/rules/header-edit.ts';
import type { RuleHeader } from '../policy/rules/rule-message.ts';
import { decodeWords } from './encoded-words.ts';
import { parseHeaderBlock } from './header-block.ts';

/**
 * `header` is what is kept of it on arrival, `from` as it was read then. Never throws.
 *
 * A word in a charset that we do not know stays as written.
 */
export function readRuleHeader(header: Buffer, from: HeaderFrom, hostName: string): RuleHeader {
  const fields = parseHeaderBlock(header).fields.map(({ name, value }) => ({
    name: name.toLowerCase(),
    value: decodeWords(value).text,
  }));
  const passes = fields.filter(
    ({ name, value }) => name === loopField && value.toLowerCase() === hostName,
  );
  return { fields, from, passes: passes.length };
}
