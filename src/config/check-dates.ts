/** What the calendar says about a configuration: connectors that are due to be looked at again. */
import type { Policy } from '../policy/policy.ts';
import type { ConfigProblem, Path, Spot } from './problem.ts';

/** A configuration that loaded. */
export interface Dated {
  readonly config: { readonly file: string };
  readonly policy: Policy;
  readonly locate: (path: Path) => Spot;
}

/** Warnings, in the order of the file. A day begins at midnight UTC. */
export function checkDates({ config, policy, locate }: Dated, nowMs: number): ConfigProblem[] {
  const today = new Date(nowMs).toISOString().slice(0, 10);
  const problems: ConfigProblem[] = [];
  policy.organizations.forEach((organization, place) => {
    for (const list of ['inboundConnectors', 'outboundConnectors'] as const) {
      organization[list].forEach(({ enabled, owner, reviewDate }, entry) => {
        if (!enabled || reviewDate === null || reviewDate > today) return;
        const path = ['organizations', place, list, entry, 'reviewDate'];
        const who = owner === null ? 'it' : `${owner} is to look at it: the connector`;
        const text = `${reviewDate} has come, so ${who} is due to be reviewed; then set the next date`;
        const about = { file: config.file, ...locate(path) };
        problems.push({ ...about, text, suggestion: null, severity: 'warning' });
      });
    }
  });
  return problems.sort((a, b) => a.line - b.line || a.column - b.column);
}
