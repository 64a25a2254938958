// SPDX-License-Identifier: MIT
// Ten thousand torrents in the list, told by a stand-in for the daemon's answers: what the page keeps and draws of them.
import { Daemon } from './lib_daemon.mjs';
import { closeBrowser, Page } from './lib_page.mjs';
import { check, equal, run, test, until } from './lib_tap.mjs';

const MANY = 10_000;
const FIELDS = ['n', 'hash', 'name', 'state', 'error', 'why', 'progress', 'size', 'wanted', 'left', 'down', 'up', 'eta', 'ratio', 'peers', 'added', 'path'];
const EPOCH = '00000000000000aa';

const hash = n => n.toString(16).padStart(40, '0');
const row = n => [n, hash(n), `torrent-${String(n).padStart(5, '0')}.iso`, 'seeding', null, 'seeding_idle', 1, 1e9, 1e9, 0, 0, 0, -1, 1.5, 0, 1_700_000_000 + n, '/srv'];

// Pages as the daemon gives them, then 50 rows that change with each question.
function answer(url) {
  const cursor = Number(url.searchParams.get('cursor') ?? 0), limit = Number(url.searchParams.get('limit'));
  const since = url.searchParams.get('since');
  const head = { epoch: EPOCH, now: Date.now() / 1000, fields: FIELDS, gone: [] };
  if (since) {
    const rev = Number(since.split('.')[1]) + 1;
    const set = Array.from({ length: 50 }, (_, i) => [MANY - ((rev * 50 + i) % 200), { up: 1000 + ((rev * 37 + i) % 900) }]);
    return { ...head, rev, reset: false, add: [], set, next: null };
  }
  const last = Math.min(MANY, cursor + limit), add = [];
  for (let n = cursor + 1; n <= last; n++) add.push(row(n));
  return { ...head, rev: 1, reset: true, add, set: [], next: last < MANY ? last : null };
}

const daemon = await Daemon.start();

async function open(options) {
  const p = await Page.open('about:blank', options);
  await p.page.route('**/api/v1/torrents**', route => route.fulfill({ json: answer(new URL(route.request().url())) }));
  await p.page.route('**/api/v1/events**', route => route.fulfill({ status: 404, body: '' }));
  await p.page.goto(daemon.url);
  await p.page.locator('.row').first().waitFor();
  await until(async () => /All\s*10000/.test(await p.page.locator('.chip-all').innerText()), 'all rows are there');
  return p;
}

const nodes = p => p.page.evaluate(() => document.querySelectorAll('*').length);

test('ten thousand rows are a few hundred nodes, and all can be reached', async () => {
  const p = await open();
  equal(await p.page.locator('.row').first().locator('.name').innerText().then(t => t.replace(/\n/g, '')), 'torrent-10000.iso');
  check(await nodes(p) <= 900, 'nodes:', await nodes(p));
  await p.page.locator('.list').evaluate(el => { el.scrollTop = el.scrollHeight; });
  await p.page.locator('.row').filter({ hasText: 'torrent-00001.iso' }).waitFor();
  check(await nodes(p) <= 900, 'nodes at the end:', await nodes(p));
  await p.button('Search').click();
  await p.page.getByRole('searchbox').fill('04711');
  await until(async () => (await p.page.locator('.row').count()) === 1, 'one is found');
  await p.close();
});

test('the heap stays small while rows change', async () => {
  const p = await open();
  const cdp = await p.context.newCDPSession(p.page), used = async () => {
    await cdp.send('HeapProfiler.collectGarbage');
    return (await cdp.send('Runtime.getHeapUsage')).usedSize;
  };
  const before = await used();
  await until(async () => /↑/.test(await p.page.locator('.row').first().innerText()), 'rows change');
  const after = await used();
  console.log(`# heap ${(before / 2 ** 20).toFixed(1)}, then ${(after / 2 ** 20).toFixed(1)} MiB`);
  check(after < 50 * 2 ** 20, 'the heap has', after);
  await p.close();
});

test('rows are in sight while a slowed processor scrolls', async () => {
  const p = await open();
  const cdp = await p.context.newCDPSession(p.page);
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  const script = await p.page.evaluate(() => new Promise(done => {
    const list = document.querySelector('.list'), costs = [];
    let frames = 0;
    const step = () => {
      const began = performance.now();
      list.scrollTop += 300;
      list.dispatchEvent(new Event('scroll'));
      void list.offsetHeight;
      costs.push(performance.now() - began);
      if (++frames < 120) requestAnimationFrame(step);
      else done({ rows: document.querySelectorAll('.row').length, top: list.scrollTop, worst: Math.max(...costs) });
    };
    requestAnimationFrame(step);
  }));
  console.log(`# the worst step took ${script.worst.toFixed(1)} ms`);
  check(script.top > 30_000 && script.rows > 5, 'it scrolled:', script);
  const seen = await p.page.evaluate(() => {
    const list = document.querySelector('.list').getBoundingClientRect(), el = document.elementFromPoint(list.x + 100, list.y + list.height / 2);
    return el?.closest('.row') !== null;
  });
  check(seen, 'a row is drawn where one looks');
  await p.close();
});

await run(async () => {
  await closeBrowser();
  await daemon.close();
});
