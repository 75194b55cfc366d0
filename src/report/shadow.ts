/**
 * Says what connectors in the modes `warn` and `observe` would have refused: counted for both, and
 * logged for `warn`, which is there to tell.
 */
import type { ShadowOutcome } from '../policy/shadow.ts';
import type { Log } from './log.ts';
import type { Meter } from './meter.ts';

/** `fields` name the mail and the other side. */
export function tellShadow(
  { log, meter }: { readonly log: Log; readonly meter: Meter },
  direction: 'inbound' | 'outbound',
  shadow: readonly ShadowOutcome[],
  fields: Readonly<Record<string, unknown>>,
): void {
  for (const { connector, mode, isMet, reason } of shadow) {
    const result = isMet === null ? 'unexamined' : isMet ? 'met' : 'unmet';
    meter.count('shadowVerdicts', { direction, mode, result });
    if (isMet !== false || mode !== 'warn') continue;
    const text = 'the mail passed, but this connector would refuse it in the mode enforce';
    log.warn({ ...fields, connector, direction, reason }, text);
  }
}
