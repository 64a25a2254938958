// SPDX-License-Identifier: MIT
// Makes the page: types are checked, everything is bundled, sizes are held against the budget, and one C table comes out.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findLiterals } from './literals.mjs';
import { packed, writeTable } from './table.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2]);
const site = join(out, 'site');
const modules = createRequire(join(out, 'node_modules', 'package.json'));

// Bytes as brotli has them: what the first screen needs, and each part that comes when it is wanted.
const BUDGET = { first: 60 * 1024, part: 10 * 1024 };

function checkTypes() {
  const tsc = modules.resolve('typescript/bin/tsc');
  const done = spawnSync(process.execPath, [tsc, '-p', join(here, 'tsconfig.json')], { stdio: 'inherit' });
  if (done.status !== 0) process.exit(1);
}

function checkWords() {
  const found = findLiterals(modules('typescript'), join(here, 'src'));
  if (found.length > 0) throw new Error(found.join('\n'));
}

// What comes later stands on all of what comes first, so that this is one file, however many parts share what of it.
const late = {
  name: 'late',
  setup(build) {
    const parts = new Set(), first = join(here, 'src/ui/app');
    build.onResolve({ filter: /^\./ }, async ({ kind, path, resolveDir }) => {
      if (kind !== 'dynamic-import') return undefined;
      const found = await build.resolve(path, { kind: 'import-statement', resolveDir });
      parts.add(found.path);
      return found;
    });
    build.onLoad({ filter: /\.tsx?$/ }, ({ path }) => parts.has(path)
      ? { contents: `${readFileSync(path, 'utf8')}\nimport ${JSON.stringify(first)};\n`, loader: path.endsWith('x') ? 'tsx' : 'ts', resolveDir: dirname(path) } : undefined);
  },
};

async function bundle() {
  const esbuild = modules('esbuild');
  const done = await esbuild.build({
    absWorkingDir: here,
    tsconfig: join(here, 'tsconfig.json'),
    entryPoints: [join(here, 'src/main.tsx'), join(here, 'css/page.css')],
    outdir: join(site, 'assets'),
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    minify: true,
    target: ['chrome100', 'firefox100', 'safari15.4'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    metafile: true,
    plugins: [late],
    logLevel: 'warning',
  });
  return done.metafile.outputs;
}

// The worker's name is fixed, so that a browser finds the next one; what it keeps is named by the build.
async function bundleWorker(assets) {
  const build = createHash('sha256').update(assets.join('\n')).digest('hex').slice(0, 12);
  await modules('esbuild').build({
    absWorkingDir: here,
    entryPoints: [join(here, 'src/sw.ts')],
    outfile: join(site, 'sw.js'),
    bundle: true,
    format: 'iife',
    minify: true,
    target: ['chrome100', 'firefox100', 'safari15.4'],
    define: { BUILD: JSON.stringify(build), ASSETS: JSON.stringify(assets) },
    logLevel: 'warning',
  });
  return build;
}

const byEntry = (outputs, entry) =>
  basename(Object.entries(outputs).find(([, o]) => o.entryPoint?.endsWith(entry))[0]);

// The chunks that an entry cannot run without.
function needs(outputs, path, seen = new Set()) {
  if (seen.has(path)) return seen;
  seen.add(path);
  for (const i of outputs[path].imports)
    if (i.kind === 'import-statement' && outputs[i.path]) needs(outputs, i.path, seen);
  return seen;
}

function writeIcons() {
  const icons = [];
  for (const name of readdirSync(join(here, 'icons'))) {
    const bytes = readFileSync(join(here, 'icons', name));
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 8);
    const to = name.replace('.', `-${hash}.`);
    writeFileSync(join(site, 'assets', to), bytes);
    icons.push([name, `assets/${to}`]);
  }
  return Object.fromEntries(icons);
}

const fill = (text, words) => text.replace(/%(\w[\w.-]*)%/g, (all, word) => {
  if (words[word] === undefined) throw new Error(`${all} means nothing`);
  return words[word];
});

function holdBudget(outputs, first) {
  const weigh = name => packed(readFileSync(join(site, name))).br.length;
  const sum = first.reduce((n, name) => n + weigh(name), 0);
  if (sum > BUDGET.first) throw new Error(`the first load has ${sum} bytes, more than ${BUDGET.first}`);
  for (const path of Object.keys(outputs)) {
    const name = `assets/${basename(path)}`;
    if (!first.includes(name) && weigh(name) > BUDGET.part)
      throw new Error(`${name} has ${weigh(name)} bytes, more than ${BUDGET.part}`);
  }
  return sum;
}

rmSync(site, { recursive: true, force: true });
mkdirSync(join(site, 'assets'), { recursive: true });
checkTypes();
checkWords();
const outputs = await bundle();
const names = Object.keys(outputs).map(path => `assets/${basename(path)}`).sort();
const main = `assets/${byEntry(outputs, 'src/main.tsx')}`;
const css = `assets/${byEntry(outputs, 'css/page.css')}`;
const icons = writeIcons();
const mainPath = Object.keys(outputs).find(path => path.endsWith(basename(main)));
const chunks = [...needs(outputs, mainPath)].map(path => `assets/${basename(path)}`).filter(name => name !== main);
const build = await bundleWorker([...names, ...Object.values(icons)]);
const words = { main, css, build, ...icons, preload: chunks.map(c => `<link rel="modulepreload" href="${c}">`).join('\n') };
writeFileSync(join(site, 'index.html'), fill(readFileSync(join(here, 'index.html'), 'utf8'), words));
writeFileSync(join(site, 'manifest.webmanifest'), fill(readFileSync(join(here, 'manifest.json'), 'utf8'), words));
const sum = holdBudget(outputs, ['index.html', 'manifest.webmanifest', main, css, ...chunks]);
writeTable(site, ['index.html', 'manifest.webmanifest', 'sw.js', ...names, ...Object.values(icons)], join(out, 'page.inc'));
console.log(`        first load ${(sum / 1024).toFixed(1)} KiB of ${BUDGET.first / 1024}`);
