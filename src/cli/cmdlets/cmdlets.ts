/** The cmdlets that there are, and what is said of others of Exchange. */
import { findNearest } from '../../config/nearest.ts';
import type { Cmdlet } from './cmdlet.ts';
import { usage } from './parameter.ts';
import { policyCmdlets } from './policy-cmdlets.ts';
import { traceCmdlets } from './trace-cmdlet.ts';
import { validateCmdlet } from './validate-cmdlet.ts';

/** In the order of the manual. */
export const cmdlets: readonly Cmdlet[] = [...policyCmdlets(), validateCmdlet, ...traceCmdlets];

/** Whether the first word of a command line is the name of a cmdlet, or would be one. */
export function isCmdlet(word: string | undefined): word is string {
  return word !== undefined && /^[A-Za-z]+-[A-Z]/.test(word);
}

/** In any case. Throws a usage Failure with the nearest one, or with what does the same here. */
export function findCmdlet(name: string): Cmdlet {
  const lower = name.toLowerCase();
  const found = cmdlets.find((each) => each.name.toLowerCase() === lower);
  if (found !== undefined) return found;
  const instead = elsewhere[lower];
  if (instead !== undefined) throw usage(`there is no ${name} here: ${instead}`);
  const nearest = findNearest(
    name,
    cmdlets.map((each) => each.name),
  );
  const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
  throw usage(`there is no cmdlet ${name}${hint}`);
}

/** Cmdlets of Exchange that another command stands for, in lower case. */
const elsewhere: Readonly<Record<string, string>> = {
  'get-outboundconnectorreport':
    '`postern explain --from SENDER --to RECIPIENT` says which connector takes such mail, and why',
  'test-message':
    '`postern explain --from SENDER --to RECIPIENT --header …` says what rules would do',
  'get-messagetracedetailv2': '`postern trace ID` shows everything that is kept about a message',
  'get-messagetracedetail': '`postern trace ID` shows everything that is kept about a message',
  'get-queue': '`postern queue list`',
  'get-message': '`postern queue list`',
  'retry-queue': '`postern queue retry`',
  'enable-accepteddomain': 'an accepted domain has no switch; remove it, or let it be',
  'disable-accepteddomain': 'an accepted domain has no switch; Remove-AcceptedDomain removes it',
  'connect-exchangeonline':
    'a command finds its gateway by itself; -Profile names one elsewhere (`postern profile add`)',
  'disconnect-exchangeonline': 'nothing stays connected',
  'set-transportconfig': 'these settings stand in the configuration file (docs/config.md)',
  'get-transportconfig': '`postern config print` shows the settings',
  'set-organizationconfig': 'these settings stand in the configuration file (docs/config.md)',
  'get-help': '-Help behind the name of a cmdlet prints its parameters',
};
