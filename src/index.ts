/**
 * What the npm package exports: configuration, decisions and evidence as data and pure functions, so
 * that other programs can ask the same questions as the gateway. The only barrel of the project.
 */
export { loadConfig, parseConfig } from './config/load.ts';
export type { LoadResult } from './config/load.ts';
export { formatProblem } from './config/problem.ts';
export type { ConfigProblem } from './config/problem.ts';
export { chooseOutbound } from './policy/choose-outbound.ts';
export type { OutboundDecision } from './policy/decision.ts';
export type { Evidence, TlsEvidence } from './policy/evidence.ts';
export type { InboundDecision, InboundSession } from './policy/inbound-session.ts';
export { judgeRecipient } from './policy/judge-recipient.ts';
export type { Policy } from './policy/policy.ts';
export type { Clause, Requirement } from './policy/tls-requirement.ts';
export { judgeTls } from './policy/tls-verdict.ts';
export type { TlsVerdict } from './policy/tls-verdict.ts';
