// SPDX-License-Identifier: MIT
// Everything that can go wrong between the page and its daemon: each is told apart, in words, and with the next step.
import { Daemon } from './lib_daemon.mjs';
import { closeBrowser, DESKTOP, Page } from './lib_page.mjs';
import { StandIn } from './lib_stand_in.mjs';
import { check, equal, run, test, until } from './lib_tap.mjs';

const daemon = await Daemon.start(), stand = await StandIn.start(daemon, { count: 3 });

async function open() {
  stand.trouble = null;
  const p = await Page.open(stand.url);
  await p.page.locator('.row').first().waitFor();
  await until(() => stand.streams.size > 0, 'the stream is open');
  return p;
}

const CAUSES = {
  proxy: ['The proxy answers, torrentd does not', 'Now'], login: ['Your proxy wants a login', 'Sign in'], foreign: ['Your proxy wants a login', 'Sign in'],
  host: ['is not in api.hosts', 'Now'], broken: ['the database is locked', 'Now'],
};

for (const [trouble, [words, button]] of Object.entries(CAUSES)) test(`what is the matter: ${trouble}`, async () => {
  const p = await open();
  stand.trouble = trouble;
  stand.cut();
  await p.page.locator('.strip').getByText(words).waitFor();
  await p.button(button).waitFor();
  equal(await p.page.locator('.row').count(), 3, 'the rows stay');
  stand.trouble = null;
  await p.page.evaluate(() => window.dispatchEvent(new Event('online')));
  await p.page.locator('button.strip').waitFor();
  await p.close();
});

test('our own refusal leads to pairing', async () => {
  const p = await open();
  stand.trouble = 'ours';
  stand.cut();
  await p.page.getByRole('heading', { name: 'Let this device in' }).waitFor();
  stand.trouble = null;
  await p.close();
});

test('a device without a network says so', async () => {
  const p = await open();
  await p.context.setOffline(true);
  stand.cut();
  await p.page.locator('.strip').getByText('This device is offline').waitFor();
  await p.context.setOffline(false);
  await p.page.locator('button.strip').waitFor();
  await p.close();
});

test('a daemon that has begun anew is taken for another, and so are its torrents', async () => {
  const p = await open();
  stand.epoch = '00000000000000bb';
  stand.rev = 1;
  stand.rows = new Map([[1, StandIn.row(1, { name: 'after-the-restart.iso' })]]);
  stand.event('bye', { reason: 'stopping' });
  stand.cut();
  await p.page.locator('.row').filter({ hasText: 'after-the-restart' }).waitFor();
  equal(await p.page.locator('.row').count(), 1, 'no row of before');
  stand.event('reset', { reason: 'too_old' });
  await p.page.locator('.row').filter({ hasText: 'after-the-restart' }).waitFor();
  await p.close();
});

test('numbers that nobody has told for long are shown as old', async () => {
  stand.rows = new Map([[1, StandIn.row(1, { up: 500_000 })]]);
  const p = await Page.open('about:blank', DESKTOP);
  await p.page.clock.install();
  await p.page.goto(stand.url);
  await p.page.locator('.row').getByText('488 KiB/s').waitFor();
  stand.trouble = 'silent';
  stand.cut();
  await p.page.clock.runFor(60_000);
  await p.page.locator('.app.stale').waitFor();
  check(!/KiB\/s/.test(await p.page.locator('.row').innerText()), await p.page.locator('.row').innerText());
  stand.trouble = null;
  await p.close();
});

await run(async () => {
  await closeBrowser();
  await stand.close();
  await daemon.close();
});
