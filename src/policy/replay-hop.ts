/** Next hops of decisions, compared and in words. */
import type { OutboundDecision } from './decision.ts';

/** Equal where mail goes to the same servers. */
export function hopOf({ destination }: Pick<OutboundDecision, 'destination'>): string {
  switch (destination.kind) {
    case 'mx':
    case 'mailbox':
    case 'none':
      return destination.kind;
    case 'organization':
      return `organization ${destination.organization}`;
    case 'smart-hosts':
      return `smart-hosts ${hostsOf(destination.hosts)}`;
    case 'hand-over': {
      const { protocol, address } = destination.target;
      return `${protocol} ${address.kind === 'unix' ? address.path : hostsOf([address])}`;
    }
  }
}

/** Connector and hop, as an administrator names them. */
export function describeWay({ connector, destination }: OutboundDecision): string {
  const by = connector === null ? 'no connector' : `connector "${connector}"`;
  switch (destination.kind) {
    case 'mx':
      return `${by}, by MX`;
    case 'smart-hosts':
      return `${by}, to ${hostsOf(destination.hosts.slice(0, 3))}${destination.hosts.length > 3 ? ' and others' : ''}`;
    case 'mailbox':
      return 'a mailbox here';
    case 'organization':
      return `${by}, inside to the organization "${destination.organization}"`;
    case 'hand-over':
      return `the delivery target "${destination.target.name}"`;
    case 'none':
      return 'nowhere';
  }
}

function hostsOf(hosts: readonly { readonly host: string; readonly port: number }[]): string {
  return hosts.map(({ host, port }) => `${host}:${port}`).join(', ');
}
