/**
 * The lane's listeners: opened first, while the process may still open low ports, and let sessions in
 * only when everything behind them is there.
 */
import type { Listener } from '../receiving/listener.ts';
import { startListener } from '../receiving/listener.ts';
import type { ReceivingServices } from '../receiving/services.ts';
import { listenerSettingsOf } from './lane-limits.ts';
import type { LaneStart, ListenerAddress } from './messages.ts';

export interface Door {
  readonly name: string;
  readonly listener: Listener;
  readonly address: ListenerAddress;
}

/** `services` of a listener by its name. Throws a Failure where a port cannot be opened. */
export async function openDoors(
  start: LaneStart,
  servicesOf: (listener: string) => ReceivingServices,
): Promise<readonly Door[]> {
  const doors: Door[] = [];
  try {
    for (const config of start.config.listeners) {
      const settings = listenerSettingsOf(start.config, config, start);
      const listener = await startListener(settings, servicesOf(config.name));
      const { name, kind, tls } = config;
      const address = { name, kind, tls, ...listener.address };
      doors.push({ name, listener, address });
    }
    return doors;
  } catch (error) {
    await closeDoors(doors, 0);
    throw error;
  }
}

export async function closeDoors(doors: readonly Door[], graceMs: number): Promise<void> {
  await Promise.all(doors.map((door) => door.listener.stop(graceMs)));
}
