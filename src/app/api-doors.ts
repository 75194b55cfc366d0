/**
 * The API's two doors: its socket, and its port on the network where one is configured. The port is
 * opened before rights are given up, and answers once the gateway runs; each configuration that comes
 * in force gives it certificates and names.
 */
import type { Api } from '../api/server.ts';
import { networkRates, startApi } from '../api/server.ts';
import type { ApiServices } from '../api/services.ts';
import type { TlsListener } from '../api/tls-listener.ts';
import { openTlsListener } from '../api/tls-listener.ts';
import type { ApiConfig } from '../config/config.ts';
import type { Log } from '../report/log.ts';
import { httpsServerOptions } from '../tls/contexts.ts';
import { allFailures } from './all-failures.ts';
import { foldersOf } from './data-folder.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import type { Configuration } from './configuration.ts';
import { certificateSources } from './lane-tls.ts';

export class ApiDoors {
  readonly socketPath: string;
  readonly #log: Log;
  #listener: TlsListener | null = null;
  #change: Promise<void> = Promise.resolve();

  constructor({ configuration, log }: GatewaySettings) {
    this.socketPath = foldersOf(configuration.config.dataFolder).socket;
    this.#log = log;
  }

  /** On the network; null where none is configured. */
  get port(): number | null {
    return this.#listener?.port ?? null;
  }

  /** Opens the port where one is configured. Rejects with a Failure. */
  async openPort(configuration: Configuration): Promise<void> {
    const { api } = configuration.config;
    if (api === null) return;
    const log = this.#log;
    const { host, port, hostNames } = api;
    const tls = await tlsOf(configuration, api);
    const settings = { host, port, hostNames, tls, failures: allFailures, log };
    this.#listener = await openTlsListener(settings);
    log.info({ host, port: this.#listener.port, hostNames }, 'API is listening over TLS');
  }

  /** Rejects with a Failure. What it answers closes both doors. */
  async start(services: ApiServices): Promise<Api> {
    const listener = this.#listener;
    const { people } = services;
    const authenticate = people.authenticate.bind(people);
    const network = listener === null ? null : { listener, authenticate, rates: networkRates };
    const { socketPath } = this;
    const settings = { socketPath, failures: allFailures, log: this.#log, network };
    const api = await startApi(settings, services);
    return { close: async () => void (await Promise.all([api.close(), this.close()])) };
  }

  /** Takes certificates and names of what is in force now; what cannot be used leaves the old ones. */
  onSwap(configuration: Configuration): void {
    const { api } = configuration.config;
    const listener = this.#listener;
    if (api === null || listener === null) return;
    const { hostNames } = api;
    // One after the other, so that what came in force last is what stays.
    this.#change = this.#change
      .then(() => tlsOf(configuration, api))
      .then((tls) => listener.change({ tls, hostNames }))
      .catch((error: unknown) => {
        const text = 'the API keeps its certificates and names: the new ones cannot be used';
        this.#log.error({ err: error }, text);
      });
  }

  /** Of the port alone. */
  async close(): Promise<void> {
    await this.#listener?.close();
  }
}

function tlsOf({ config, files }: Configuration, { serverCertificates }: ApiConfig) {
  const held = new Map(Array.from(files, ([path, { bytes }]) => [path, bytes]));
  return httpsServerOptions(certificateSources(config, held, serverCertificates));
}
