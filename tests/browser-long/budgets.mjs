// SPDX-License-Identifier: MIT
// What the page may cost: of the processor, of memory, of the line, and of the daemon.  Processor time is that of the page's
// thread alone, as the browser and the system count it, so that what else the machine does plays no part.
import { readdirSync, readFileSync } from 'node:fs';
import { Daemon } from '../browser/lib_daemon.mjs';
import { closeBrowser, DESKTOP, Page, trace } from '../browser/lib_page.mjs';
import { StandIn } from '../browser/lib_stand_in.mjs';
import { check, equal, run, test, until } from '../browser/lib_tap.mjs';
import { Torrent } from '../browser/lib_torrent.mjs';

const SLOWED = 4; // a phone's processor against this one
const daemon = await Daemon.start();
const rest = ms => new Promise(done => setTimeout(done, ms));

async function open(stand, options) {
  const p = await Page.open(stand.url, options);
  await until(async () => new RegExp(`All\\s*${stand.rows.size}`).test(await p.page.locator('.chip-all').innerText().catch(() => '')), 'all rows are there');
  await until(() => stand.streams.size === 1, 'the stream is open');
  return p;
}

// Milliseconds of the page's thread since it was opened, and those of its parts.
async function cost(p) {
  p.cdp ??= await p.context.newCDPSession(p.page);
  if (!p.counted) await p.cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
  p.counted = true;
  const { metrics } = await p.cdp.send('Performance.getMetrics');
  return metrics.find(m => m.name === 'TaskDuration').value * 1000;
}

// Milliseconds of the page's thread that each frame of a scroll took, in order of size.
async function framesOf(p, cdp, yDistance) {
  const events = await trace(p, () => cdp.send('Input.synthesizeScrollGesture', { x: 195, y: 400, yDistance, speed: 4000, gestureSourceType: 'mouse' }));
  const main = events.find(e => e.name === 'thread_name' && e.args.name === 'CrRendererMain' && events.some(f => f.pid === e.pid && f.name === 'Layerize'));
  const mine = events.filter(e => e.pid === main.pid && e.tid === main.tid), drawn = mine.filter(e => e.name === 'Layerize').map(e => e.ts);
  const drawing = mine.filter(e => e.name === 'ThreadControllerImpl::RunTask' && drawn.some(ts => ts >= e.ts && ts <= e.ts + e.dur));
  return drawing.map(e => (e.tdur ?? 0) / 1000).sort((a, b) => a - b);
}

// A neighbour on the machine makes every instruction dearer: the best of three scrolls is the page's own cost.
test('ten thousand rows scroll: 1 % of the frames at most take more than 33 ms of a processor a fourth as fast', async () => {
  const stand = await StandIn.start(daemon, { count: 10_000 }), p = await open(stand), cdp = await p.context.newCDPSession(p.page);
  const isLate = ms => ms * SLOWED > 33, fits = frames => frames.filter(isLate).length <= Math.ceil(frames.length / 100);
  let frames = await framesOf(p, cdp, -30_000);
  check(await p.page.locator('.list').evaluate(el => el.scrollTop) > 20_000, 'it scrolled');
  check(await p.page.locator('.row').count() > 5, 'rows are there');
  check(await p.page.evaluate(() => {
    const list = document.querySelector('.list').getBoundingClientRect(), el = document.elementFromPoint(list.x + 100, list.y + list.height / 2);
    return Boolean(el?.closest('.row'));
  }), 'a row is drawn where one looks');
  for (const again of [30_000, -30_000]) if (!fits(frames)) frames = await framesOf(p, cdp, again);
  const late = frames.filter(isLate).length;
  console.log(`# ${frames.length} frames, the dearest ${frames.at(-1).toFixed(1)} ms, the middle one ${frames[frames.length >> 1].toFixed(1)} ms, late: ${late}`);
  check(frames.length > 20 && frames[frames.length >> 1] > 0, 'frames:', frames.length);
  check(fits(frames), 'late frames:', late, 'of', frames.length);
  await p.close();
  await stand.close();
});

test('a tick with fifty changed rows of ten thousand: 8 ms', async () => {
  const stand = await StandIn.start(daemon, { count: 10_000 }), p = await open(stand), TICKS = 20;
  stand.churn(50);
  await rest(500);
  const before = await cost(p);
  for (let i = 0; i < TICKS; i++) {
    stand.churn(50);
    await rest(100);
  }
  const each = (await cost(p) - before) / TICKS;
  console.log(`# ${each.toFixed(1)} ms`);
  check(each <= 8, 'a tick took', each, 'ms');
  await p.close();
  await stand.close();
});

test('live numbers move nothing on the page', async () => {
  const stand = await StandIn.start(daemon, { count: 40 });
  for (const options of [undefined, DESKTOP]) {
    const p = await open(stand, options);
    await p.page.evaluate(() => {
      window.shifts = [];
      new PerformanceObserver(list => window.shifts.push(...list.getEntries().filter(e => e.value > 0.0001).map(e => `${e.value} ${e.sources?.[0]?.node?.className}`))).observe({ type: 'layout-shift', buffered: false });
    });
    for (let i = 0; i < 60; i++) {
      stand.churn(10);
      stand.event('stats', { down: 10 ** (i % 9), up: 10 ** ((i + 4) % 9) });
      await rest(50);
    }
    equal(await p.page.evaluate(() => window.shifts), []);
    await p.close();
  }
  await stand.close();
});

test('nothing active: half a percent of a processor, next to nothing on the line', async () => {
  const stand = await StandIn.start(daemon, { count: 100 }), p = await open(stand), SECONDS = 20;
  await rest(2000);
  const asked = stand.asked.length, sent = stand.sent, before = await cost(p);
  await rest(SECONDS * 1000);
  const share = (await cost(p) - before) / (SECONDS * 10);
  console.log(`# ${share.toFixed(2)} % of a processor`);
  check(share <= 0.5, share, '% of a processor');
  equal([stand.asked.length - asked, stand.sent - sent], [0, 0], 'requests, bytes');
  await p.close();
  await stand.close();
});

test('a page that is not looked at lets go of the stream, asks nothing, and comes back', async () => {
  const stand = await StandIn.start(daemon, { count: 100 }), p = await open(stand);
  const look = hidden => p.page.evaluate(to => {
    Object.defineProperty(document, 'hidden', { value: to, configurable: true });
    Object.defineProperty(document, 'visibilityState', { value: to ? 'hidden' : 'visible', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
  await look(true);
  await until(() => stand.streams.size === 0, 'the stream is closed');
  const asked = stand.asked.length, before = await cost(p);
  stand.tell({ set: [[100, { name: 'changed-meanwhile.iso' }]] });
  await rest(65_000); // longer than any timer of the page has
  equal(stand.asked.length - asked, 0, 'requests');
  check(await cost(p) - before < 65, 'it did something:', await cost(p) - before, 'ms');
  await look(false);
  await p.page.locator('.row').filter({ hasText: 'changed-meanwhile' }).waitFor();
  await p.close();
  await stand.close();
});

// Nanoseconds that each thread of the daemon has run.
function threads(pid) {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, tid) => {
    try {
      return sum + Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      return sum; // it has ended
    }
  }, 0);
}

test('twenty active torrents: the page takes 1 % of the daemon\'s processor, 2.5 KiB/s, and 4 % of its own', async () => {
  const [seeder, leecher] = await Promise.all([Daemon.start({ 'lan.upload_max_rate': '400KiB/s' }), Daemon.start()]);
  const some = Array.from({ length: 20 }, (_, i) => new Torrent(`active-${i}.iso`, 4 * 1024 * 1024));
  for (const t of some) await seeder.seed(t);
  await leecher.post('addmagnet', { url: some[0].magnet(`127.0.0.1:${seeder.peerPort}`) });
  for (const t of some.slice(1)) await leecher.post('addmagnet', { url: t.magnet(`127.0.0.1:${seeder.peerPort}`) });
  await until(async () => (await leecher.rows()).filter(r => r.down > 0).length >= 5, 'many move');
  const SECONDS = 15, turns = [[], []], pid = leecher.process.pid;
  let own = 0, bytes = 0;
  // With and without, turn about: what the downloads themselves cost changes as they go.
  for (let i = 0; i < 4; i++) {
    const p = i % 2 ? await Page.open(leecher.url) : null;
    let before = 0;
    if (p) {
      await p.page.locator('.row').first().waitFor();
      const cdp = await p.context.newCDPSession(p.page);
      await cdp.send('Network.enable');
      await rest(2000);
      cdp.on('Network.dataReceived', e => { bytes += e.encodedDataLength || e.dataLength; });
      before = await cost(p);
    }
    const from = threads(pid), bytesFrom = bytes;
    await rest(SECONDS * 1000);
    turns[i % 2].push((threads(pid) - from) / (SECONDS * 1e7));
    if (p) {
      own = Math.max(own, (await cost(p) - before) / (SECONDS * 10));
      console.log(`# ${((bytes - bytesFrom) / SECONDS / 1024).toFixed(2)} KiB/s, ${own.toFixed(2)} % of the page's own`);
      check((bytes - bytesFrom) / SECONDS <= 2560, 'bytes a second:', (bytes - bytesFrom) / SECONDS);
      await p.close();
    }
  }
  const [without, with_] = turns.map(t => Math.min(...t));
  console.log(`# the daemon takes ${without.toFixed(2)} % without, ${with_.toFixed(2)} % with the page`);
  check(own <= 4, 'the page takes', own, '% of a processor');
  check(with_ - without <= 1, 'the daemon takes', with_ - without, '% more');
  await Promise.all([seeder.close(), leecher.close()]);
});

// Where time is that of a line and a processor, it is reckoned: round trips, bytes and thread time, as on slow 4G and a phone.
const TRIP = 0.15, RATE = 1.6e6 / 8; // seconds, bytes a second

test('the list is usable after 2.5 s of a slow line and a slow processor, and after six requests', async () => {
  const stand = await StandIn.start(daemon, { count: 60 }), p = await Page.open('about:blank'), cdp = await p.context.newCDPSession(p.page);
  await p.page.addInitScript(() => { delete window.Navigator.prototype.serviceWorker; });
  await cdp.send('Network.enable');
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
  let bytes = 0;
  const began = [];
  cdp.on('Network.requestWillBeSent', e => began.push(e.request.url));
  cdp.on('Network.loadingFinished', e => { bytes += e.encodedDataLength; });
  await p.page.goto(stand.url);
  await p.page.locator('.row').first().waitFor();
  const requests = began.filter(u => !u.includes('/events') && !u.includes('/icon') && !u.includes('volumes') && !u.includes('manifest'));
  const { metrics } = await cdp.send('Performance.getMetrics'), cpu = metrics.find(m => m.name === 'TaskDuration').value;
  // One after the other: connecting, the document, its scripts and styles, what the API says.
  const seconds = TRIP * (1 + 1 + 1 + 1) + bytes / RATE + cpu * SLOWED;
  console.log(`# ${requests.length} requests, ${bytes} bytes, ${(cpu * 1000).toFixed(0)} ms of the processor: ${seconds.toFixed(2)} s`);
  check(requests.length <= 6, requests);
  check(seconds <= 2.5, 'it takes', seconds, 's');
  await p.close();
  await stand.close();
});

await run(async () => {
  await closeBrowser();
  await daemon.close();
});
