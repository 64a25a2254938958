// SPDX-License-Identifier: MIT
// Modules of the page, to be called without a browser.
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const WEB = join(ROOT, 'build/web');
const modules = createRequire(join(WEB, 'node_modules/package.json'));

// What a module of http/web/src exports; all in one bundle share their state.
export async function load(...names) {
  const out = join(ROOT, 'build/browser/source');
  mkdirSync(out, { recursive: true });
  const outfile = join(out, `${names.join('-').replaceAll('/', '_')}.mjs`);
  await modules('esbuild').build({
    stdin: { contents: names.map(n => `export * from './${n}';`).join('\n'), resolveDir: join(ROOT, 'http/web/src'), loader: 'ts' },
    nodePaths: [join(WEB, 'node_modules')], outfile, bundle: true, format: 'esm', platform: 'neutral', mainFields: ['module', 'main'], logLevel: 'error',
    tsconfigRaw: { compilerOptions: { jsx: 'react-jsx', jsxImportSource: 'preact' } },
  });
  return import(`${pathToFileURL(outfile)}?${Date.now()}`);
}
