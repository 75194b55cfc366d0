/** Hand-overs between organizations of this gateway, joined: what delivery gives, receiving takes. */
import type { TakeInside } from '../delivery/hand-inside.ts';
import type { ListenerConfig } from '../config/config.ts';
import { takeInside } from '../receiving/take-inside.ts';
import type { ServicesOfDoor } from './lane-doors.ts';
import { listenerSettingsOf } from './lane-limits.ts';
import type { Frame } from './lane-rooms.ts';

/** As a listener would be called, were there one. */
const inside: ListenerConfig = {
  name: 'inside',
  host: '',
  port: 0,
  kind: 'mx',
  tls: 'starttls',
  requestClientCertificate: false,
  proxyProtocol: [],
  bareLineBreaks: 'normalize',
  serverCertificates: [],
};

export function insideOf(
  frame: Pick<Frame, 'start' | 'inForce'>,
  servicesOf: ServicesOfDoor,
): TakeInside {
  // No handshake is made; the certificates of any listener do.
  const services = servicesOf(() => frame.inForce().tls.server.values().next().value!);
  return (handed) => {
    const settings = listenerSettingsOf(frame.inForce().config, inside, frame.start);
    return takeInside({ settings, services }, handed);
  };
}
