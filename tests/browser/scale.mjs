// SPDX-License-Identifier: MIT
// Ten thousand torrents in the list: what the page keeps and draws of them.  What it costs, tests/browser-long/budgets.mjs holds.
import { Daemon } from './lib_daemon.mjs';
import { closeBrowser, Page } from './lib_page.mjs';
import { StandIn } from './lib_stand_in.mjs';
import { check, equal, run, test, until } from './lib_tap.mjs';

const MANY = 10_000;
const daemon = await Daemon.start(), stand = await StandIn.start(daemon, { count: MANY });

async function open(options) {
  const p = await Page.open(stand.url, options);
  await until(async () => /All\s*10000/.test(await p.page.locator('.chip-all').innerText().catch(() => '')), 'all rows are there');
  await until(() => stand.streams.size > 0, 'the stream is open');
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
  await until(async () => stand.churn(50) || /↑/.test(await p.page.locator('.row').first().innerText()), 'rows change');
  const after = await used();
  console.log(`# heap ${(before / 2 ** 20).toFixed(1)}, then ${(after / 2 ** 20).toFixed(1)} MiB`);
  check(after < 50 * 2 ** 20, 'the heap has', after);
  await p.close();
});

test('a row that was told anew, went or came while the line was down is shown as it is', async () => {
  const p = await open();
  stand.cut();
  stand.rev++;
  stand.rows.delete(10_000);
  stand.rows.set(10_001, StandIn.row(10_001, { name: 'came-meanwhile.iso' }));
  Object.assign(stand.rows.get(9999), { name: 'renamed-meanwhile.iso' });
  await p.page.locator('.row').filter({ hasText: 'came-meanwhile' }).waitFor();
  await p.page.locator('.row').filter({ hasText: 'renamed-meanwhile' }).waitFor();
  equal(await p.page.locator('.row').filter({ hasText: 'torrent-10000' }).count(), 0);
  await p.close();
});

await run(async () => {
  await closeBrowser();
  await stand.close();
  await daemon.close();
});
