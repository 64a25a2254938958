// SPDX-License-Identifier: MIT
// How the page says things, without a browser: numbers, times, searches, sources, languages.
import { load } from './lib_source.mjs';
import { check, equal, run, test } from './lib_tap.mjs';

const m = await load('format', 'rate', 'source', 'order', 'exact', 'store', 'tree', 'sentence', 'i18n/index', 'i18n/en', 'i18n/de', 'i18n/pseudo');
const KIB = 1024, MIB = KIB * 1024, GIB = MIB * 1024;

const table = (name, fn, rows) => test(name, () => {
  for (const [given, wanted] of rows) equal(Array.isArray(given) ? fn(...given) : fn(given), wanted, JSON.stringify(given));
});

table('bytes: three digits, one behind the point below a hundred, the unit changes at a thousand', m.bytes, [
  [0, '0 B'], [1, '1 B'], [999, '999 B'], [1000, '1.0 KiB'], [1023, '1.0 KiB'], [1024, '1.0 KiB'], [99 * KIB, '99.0 KiB'], [100 * KIB, '100 KiB'],
  [987 * KIB, '987 KiB'], [1023 * KIB, '1.0 MiB'], [4.25 * MIB, '4.3 MiB'], [12.4 * GIB, '12.4 GiB'], [999.4 * GIB, '999 GiB'], [5000 * GIB, '4.9 TiB'],
]);

table('percent is rounded down, and 100 is said of what is complete alone', m.percent, [
  [0, '0 %'], [0.004, '0.4 %'], [0.0099, '0.9 %'], [0.01, '1 %'], [0.629, '62 %'], [0.999, '99 %'], [0.99999, '99 %'], [1, '100 %'],
  [[0.5678, 20 * GIB], '56.7 %'], [[0.99999, 20 * GIB], '99.9 %'], [[1, 20 * GIB], '100 %'],
]);

table('time left in two units at most', m.duration, [
  [-1, '–'], [0, '0 s'], [42, '42 s'], [59.2, '60 s'], [60, '1 min'], [759, '12 min'], [3600, '1 h'], [5 * 3600 + 600, '5 h 10 min'], [47 * 3600, '47 h'],
  [48 * 3600, '2 d'], [3 * 86400 + 4 * 3600, '3 d 4 h'], [14 * 86400, 'weeks'],
]);

table('ratio is rounded down', m.ratio, [[0, '0.00'], [0.999, '0.99'], [1, '1.00'], [2.006, '2.00']]);


test('the tail of a long name is never cut', () => {
  equal(m.splitName('short.iso'), ['short.iso', '']);
  equal(m.splitName('a-name-that-is-rather-long.x265-GRP')[1], 'ong.x265-GRP');
});

table('rates as people type them', m.parseRate, [
  ['', 0], ['0', 0], ['2 MiB/s', 2 * MIB], ['500k', 500 * KIB], ['20 Mbit', 2_500_000], ['100', 100 * KIB], ['1,5 MiB/s', 1.5 * MIB], ['1.5 mb/s', 1_500_000],
  ['2 Mbps', 250_000], ['16 kbps', 2000], ['fast', null], ['-1', null], ['k', null],
]);

table('numbers of files as ranges', m.ranges, [[[[]], ''], [[[3]], '3'], [[[0, 1, 2, 5, 7, 8]], '0-2,5,7-8']]);

test('what is worth adding is found in text', () => {
  const kinds = text => m.sourcesFrom(text).map(s => s.kind);
  equal(kinds(`magnet:?xt=urn:btih:${'a'.repeat(40)} ${'B'.repeat(40)}\n${'c'.repeat(64)} ${'MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK'}`), ['magnet', 'magnet', 'magnet', 'magnet']);
  equal(kinds('hello'), ['bad']);
  check(!m.isSource('just some words'), 'words are no source');
});

test('a search joins words, excludes, keeps blanks in quotes and folds accents', () => {
  const finds = (query, text) => m.matcher(query)(m.fold(text));
  for (const [query, text, wanted] of [
    ['deb iso', 'Debian-12.iso', true], ['deb -iso', 'Debian-12.iso', false], ['"big buck"', 'Big Buck Bunny', true], ['"buck big"', 'Big Buck Bunny', false],
    ['cafe', 'Café del Mar', true], ['', 'anything', true], ['-', 'ab', true],
  ]) equal(finds(query, text), wanted, query);
});

table('a value as the configuration writes it', m.exact, [
  [['size', 64 * MIB], '64MiB'], [['rate', 0], '0'], [['rate', 16 * KIB], '16KiB/s'], [['duration', 90], '90s'], [['duration', 0.25], '250ms'], [['list', ['a', 'b']], 'a, b'], [['int', 7], '7'],
]);

// The same keys everywhere, functions where there are functions; what is empty is forgotten.
function compare(a, b, path, faults) {
  for (const key of Object.keys(a)) {
    const [x, y] = [a[key], b[key]], at = `${path}.${key}`;
    if (typeof x !== typeof y) faults.push(`${at}: ${typeof y}`);
    else if (typeof x === 'object') compare(x, y, at, faults);
    else if (typeof x === 'string' && x !== '' && y === '') faults.push(`${at} is empty`);
  }
  for (const key of Object.keys(b)) if (!(key in a)) faults.push(`${path}.${key} is nowhere else`);
}

for (const name of ['de', 'longer', 'turned']) test(`every word of English is in ${name}`, () => {
  const faults = [];
  compare(m.en, m[name], name, faults);
  equal(faults, []);
});

test('what is put into a text of a made-up language stays as it is', () => {
  check(m.longer.stopName('debian.iso').includes('debian.iso'), m.longer.stopName('debian.iso'));
  check(!/Stop/.test(m.longer.stopName('x')), m.longer.stopName('x'));
  check(m.turned.selected(3, 128).includes('3') && m.turned.selected(3, 128).includes('128'), m.turned.selected(3, 128));
});

test('every reason that the daemon gives has words', async () => {
  const { readFileSync } = await import('node:fs');
  const text = readFileSync(new URL('../../docs/sync.md', import.meta.url), 'utf8');
  const codes = text.slice(text.indexOf('| why | |')).split('\n').flatMap(line => /^\| `(\w+)` \|/.exec(line)?.[1] ?? []);
  check(codes.length > 15, 'reasons in docs/sync.md:', codes.length);
  const row = { ...m.EMPTY_ROW, state: 'downloading', wanted: 10, left: 5, peers: 3 };
  for (const why of codes) check(m.sentence({ ...row, why }, true).length > 3, why);
});

await run();
