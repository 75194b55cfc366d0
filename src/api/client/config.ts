/** The client's calls about the configuration. */
import type { Reloaded, ReloadOrderInput } from '../contract.ts';
import { reloadedSchema } from '../contract.ts';
import type { ConfigCheck, ConfigCheckOrder, ConfigQuery, ConfigView } from '../contract/config.ts';
import { configCheckSchema, configViewSchema } from '../contract/config.ts';
import type { Caller } from './caller.ts';
import { formatQuery } from './caller.ts';

export interface ConfigClient {
  /**
   * `reason`: why the policy is to ask for less; absent where it is not. Throws `config-refused`;
   * `problemsOfFailure` tells everything that is wrong.
   */
  reloadConfig(order?: ReloadOrderInput): Promise<Reloaded>;
  readConfig(query: ConfigQuery): Promise<ConfigView>;
  /** Without `text` the file as it is. Changes nothing. */
  checkConfig(order?: ConfigCheckOrder): Promise<ConfigCheck>;
}

export function configClient({ ask }: Caller): ConfigClient {
  return {
    reloadConfig: (body = {}) =>
      ask({ method: 'POST', path: '/v1/config/reload', body }, reloadedSchema),
    readConfig: (query) =>
      ask({ method: 'GET', path: `/v1/config${formatQuery(query)}` }, configViewSchema),
    checkConfig: (order = {}) =>
      ask({ method: 'POST', path: '/v1/config/check', body: order }, configCheckSchema),
  };
}
