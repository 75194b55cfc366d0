/**
 * Loaded by `node --import`: the program as a later version of it, whose control file has one migration
 * more.
 */
import { registerHooks } from 'node:module';

const extra = `
const more = \`CREATE TABLE of_a_later_version (key INTEGER PRIMARY KEY) STRICT;\`;
`;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith('/src/store/control/migrations.ts')) return loaded;
    const text = String(loaded.source).replace(
      /(controlMigrations[^=]*= \[)([^\]]*)\]/,
      '$1$2, more]',
    );
    return { ...loaded, source: extra + text };
  },
});
