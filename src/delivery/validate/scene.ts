/**
 * What one run shares: services of its own, nothing of live mail's; its time limit; and everything
 * open, so that all of it can be cut.
 */
import type { Socket } from 'node:net';
import type { ReversePath } from '../../mail/address.ts';
import type { OnValidationStep } from '../../policy/validation/run.ts';
import type { ClientSession } from '../../smtp/client-session.ts';
import type { DeliveryServices } from '../services.ts';
import { familyOf } from './recorder.ts';

/** Codes of a family that this machine has no address or route for. */
const noWayCodes: ReadonlySet<string> = new Set([
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'EINVAL',
]);

/** Whatever comes after the end is destroyed at once. */
class OpenSockets extends Set<Socket> {
  readonly #isOver: () => boolean;

  constructor(isOver: () => boolean) {
    super();
    this.#isOver = isOver;
  }

  override add(socket: Socket): this {
    if (this.#isOver()) socket.destroy();
    return super.add(socket);
  }
}

export class ValidationScene {
  readonly services: DeliveryServices;
  readonly reversePath: ReversePath;
  /** Whether hosts are asked about recipients, once TLS stands. */
  readonly asksEnvelope: boolean;
  readonly onStep: OnValidationStep;
  /** Sockets on which a session is not ready yet. */
  readonly underWay = new OpenSockets(() => this.#isOver);
  readonly #sessions = new Set<ClientSession>();
  readonly #timer: NodeJS.Timeout;
  #onCut: () => void = () => undefined;
  #isOver = false;

  constructor(
    services: DeliveryServices,
    task: Pick<ValidationScene, 'reversePath' | 'asksEnvelope'> & { readonly runMs: number },
    onStep: OnValidationStep,
  ) {
    this.services = services;
    this.reversePath = task.reversePath;
    this.asksEnvelope = task.asksEnvelope;
    this.onStep = onStep;
    this.#timer = setTimeout(() => this.cut(), task.runMs);
  }

  now(): number {
    return this.services.now();
  }

  isOver(): boolean {
    return this.#isOver;
  }

  /** Called once when the run is cut. */
  set onCut(onCut: () => void) {
    this.#onCut = onCut;
  }

  /** Keeps a session until the answer is called, which says QUIT. */
  hold(session: ClientSession): () => void {
    this.#sessions.add(session);
    if (this.#isOver) session.destroy('the run is over');
    return () => {
      this.#sessions.delete(session);
      session.quit();
    };
  }

  /** Ends everything that is open; what comes later is not begun. */
  cut(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    for (const socket of this.underWay) socket.destroy();
    for (const session of this.#sessions) session.destroy('the run is over');
    this.#onCut();
  }

  /** No more waiting for the limit; the run came to its end. */
  end(): void {
    clearTimeout(this.#timer);
  }

  /** Whether the address is of a family that this machine does not have. */
  isNoWay(code: string, address: string): boolean {
    return familyOf(address) === 'IPv6' && noWayCodes.has(code);
  }
}
