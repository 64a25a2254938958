// SPDX-License-Identifier: MIT
// What people do with the page, against the real daemon and a real seeder.
import { existsSync } from 'node:fs';
import { Daemon } from './lib_daemon.mjs';
import { closeBrowser, DESKTOP, Page, SMALL } from './lib_page.mjs';
import { check, equal, run, test, until } from './lib_tap.mjs';
import { Torrent } from './lib_torrent.mjs';

const one = new Torrent('one-file.2026.iso', 400_000);
const three = new Torrent('Three files and more', [['first.mkv', 150_000], ['second.srt', 40_000], ['deep/third.txt', 90_000]]);
const picky = new Torrent('Only the third of these', [['one.mkv', 65_536], ['two.mkv', 65_536], ['three.srt', 65_536]]);
const slow = new Torrent('a-slow-download.x265-GRP', 24 * 1024 * 1024);

const [seeder, daemon] = await Promise.all([Daemon.start({ 'lan.upload_max_rate': '400KiB/s' }), Daemon.start()]);
for (const t of [one, three, picky, slow]) await seeder.seed(t);
const from = `127.0.0.1:${seeder.peerPort}`;

const names = p => p.page.locator('.row .name').allInnerTexts().then(list => list.map(t => t.replace(/\n/g, '')));

const download = p => p.page.locator('.sheet-foot .primary');

test('nothing is there yet, and the page says how to begin', async () => {
  const p = await Page.open(daemon.url);
  await p.page.getByRole('heading', { name: 'Nothing here yet' }).waitFor();
  await p.axe('empty');
  await p.close();
});

test('a magnet is pasted and downloaded', async () => {
  const p = await Page.open(daemon.url);
  await p.button('Add').last().click();
  await p.page.locator('textarea').fill(one.magnet(from));
  await p.page.locator('.card').filter({ hasText: one.name }).waitFor();
  await download(p).click();
  await p.page.locator('dialog').waitFor({ state: 'detached' });
  await p.row(one.name).getByText('100 %').waitFor();
  equal((await daemon.row(one)).state, 'seeding');
  await p.close();
});

test('the clipboard is looked at where that is allowed', async () => {
  const p = await Page.open(daemon.url, { permissions: ['clipboard-read', 'clipboard-write'] });
  await p.page.evaluate(text => navigator.clipboard.writeText(text), three.magnet());
  await p.button('Add').last().click();
  await until(async () => (await p.page.locator('textarea').inputValue()) === three.magnet(), 'the magnet is in the field');
  await p.close();
});

test('of a magnet the third file alone: four taps, and nothing else is on disk', async () => {
  const p = await Page.open(daemon.url, { permissions: ['clipboard-read', 'clipboard-write'] });
  await p.page.evaluate(text => navigator.clipboard.writeText(text), picky.magnet(from));
  await p.button('Add').last().click();
  await p.page.getByText('192 KiB in 3 files').waitFor();
  equal(await daemon.row(picky), undefined, 'nothing is added by looking');
  await p.axe('looking first');
  await p.picture('preview-390x844-light');
  await p.button('None').click();
  await p.page.getByRole('checkbox', { name: 'Download three.srt' }).click();
  await p.button('Download 64.0 KiB').click();
  await p.page.locator('dialog').waitFor({ state: 'detached' });
  await p.row(picky.name).getByText('100 %').waitFor();
  equal(['one.mkv', 'two.mkv', 'three.srt'].map(f => existsSync(picky.path(daemon.downloads, f))), [false, false, true]);
  await daemon.post('removetorrent', { infohash: picky.hash, delete: true });
  await until(async () => (await daemon.row(picky)) === undefined, 'it is gone again');
  await p.close();
});

test('of a torrent file some files are chosen before anything is sent', async () => {
  const p = await Page.open(daemon.url);
  await p.button('Add').last().click();
  await p.page.locator('input[type=file]').setInputFiles({ name: 'three.torrent', mimeType: 'application/x-bittorrent', buffer: three.data });
  await p.page.getByText('in 3 files').waitFor();
  await p.page.locator('summary').filter({ hasText: 'Choose files' }).click();
  await p.page.getByRole('checkbox', { name: 'Download second.srt' }).uncheck();
  await p.page.getByText('2 of 3 files').waitFor();
  await download(p).click();
  await p.row(three.name).waitFor();
  await daemon.state(three, 'downloading', 'seeding');
  const view = await (await fetch(`${daemon.url}torrentdata?infohash=${three.hash}&fields=files&files=true`)).json();
  equal(view.files.map(f => f.priority), ['normal', 'skip', 'normal']);
  await p.close();
});

test('what is no torrent is told apart, each in words', async () => {
  const p = await Page.open(daemon.url);
  await p.button('Add').last().click();
  await p.page.locator('textarea').fill('https://example.org/a.torrent\nnonsense');
  await p.page.locator('input[type=file]').setInputFiles({ name: 'x.torrent', mimeType: 'text/plain', buffer: Buffer.from('hello') });
  for (const text of ['Links to .torrent files are not followed', 'neither a magnet link', 'This file is no torrent']) await p.page.getByText(text).waitFor();
  check(await download(p).isDisabled(), 'nothing can be downloaded');
  await p.close();
});

test('what the daemon refuses stays, with its words', async () => {
  const p = await Page.open(daemon.url);
  await p.button('Add').last().click();
  await p.page.locator('input[type=file]').setInputFiles({ name: 'one.torrent', mimeType: 'application/x-bittorrent', buffer: one.data });
  await download(p).click();
  await p.page.locator('.card-bad').waitFor();
  check(/lready/.test(await p.page.locator('.card-bad').innerText()), await p.page.locator('.card-bad').innerText());
  await p.close();
});

test('the button of a row stops and starts, and undo takes it back', async () => {
  const p = await Page.open(daemon.url);
  await p.button(`Stop ${one.name}`).click();
  await daemon.state(one, 'stopped');
  await p.row(one.name).getByText('Stopped').waitFor();
  await p.button('Undo').click();
  await daemon.state(one, 'seeding');
  await p.button(`Stop ${one.name}`).waitFor();
  await p.close();
});

test('files of a running torrent are chosen', async () => {
  const p = await Page.open(`${daemon.url}#/t/${three.hash}/files`);
  const box = p.page.getByRole('checkbox', { name: 'Download second.srt' });
  await box.waitFor();
  equal(await p.page.getByRole('checkbox', { name: `Download ${three.name}` }).evaluate(el => el.indeterminate), true, 'the folder is in between');
  await box.check();
  await p.page.getByText('3 of 3 wanted').waitFor();
  await p.page.getByLabel('Priority of first.mkv').selectOption('high');
  await until(async () => {
    const view = await (await fetch(`${daemon.url}torrentdata?infohash=${three.hash}&fields=files&files=true`)).json();
    return view.files.map(f => f.priority).join() === 'high,normal,normal';
  }, 'the daemon has the priorities');
  await p.close();
});

// A second of silence that every browser plays.
function wave() {
  const rate = 8000, wav = Buffer.alloc(44 + rate, 0x80);
  wav.write('RIFF', 0); wav.writeUInt32LE(36 + rate, 4); wav.write('WAVEfmt ', 8); wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20); wav.writeUInt16LE(1, 22); wav.writeUInt32LE(rate, 24); wav.writeUInt32LE(rate, 28);
  wav.writeUInt16LE(1, 32); wav.writeUInt16LE(8, 34); wav.write('data', 36); wav.writeUInt32LE(rate, 40);
  return wav;
}

test('a file that is here is opened or saved', async () => {
  const content = wave(), sound = new Torrent('silence.wav', content.length, { content });
  await daemon.seed(sound);
  const p = await Page.open(`${daemon.url}#/t/${sound.hash}/files`);
  const link = p.page.getByRole('link', { name: /silence.wav .*open or save/ });
  await link.waitFor();
  await p.axe('files');
  const [opened] = await Promise.all([p.context.waitForEvent('page'), link.click()]);
  const plays = () => opened.evaluate(() => (document.querySelector('video, audio')?.readyState ?? 0) >= 2).catch(() => false);
  await until(plays, 'the browser plays it');
  await opened.close();
  await daemon.post('removetorrent', { infohash: sound.hash, delete: true });
  await until(async () => (await daemon.row(sound)) === undefined, 'it is gone again');
  await p.close();
});

test('search and filters, each with a way out', async () => {
  const p = await Page.open(daemon.url);
  await p.row(one.name).waitFor();
  await p.button('Search').click();
  await p.page.getByRole('searchbox').fill('files -one');
  await until(async () => (await names(p)).join() === three.name, 'one is found');
  await p.page.getByRole('searchbox').fill('no such thing');
  await p.page.getByRole('heading', { name: 'Nothing matches' }).waitFor();
  await p.axe('nothing matches');
  await p.button('Show all').click();
  await until(async () => (await names(p)).length === 2, 'all are shown');
  await p.page.getByRole('button', { name: /^Stopped/ }).click();
  await p.page.getByText('You are looking at: Stopped').waitFor();
  await p.close();
});

test('back closes what lies above, one thing after the other', async () => {
  const p = await Page.open(daemon.url);
  await p.row(one.name).locator('.row-open').click();
  await p.page.getByRole('heading', { name: one.name }).waitFor();
  await p.button('Remove').click();
  await p.page.locator('dialog').waitFor();
  await p.page.goBack();
  await p.page.locator('dialog').waitFor({ state: 'detached' });
  check(p.page.url().includes(one.hash), p.page.url());
  await p.page.goBack();
  await p.page.locator('.detail').waitFor({ state: 'detached' });
  await p.close();
});

test('news comes by one stream, and nothing is asked for besides', async () => {
  const p = await Page.open(daemon.url);
  await p.row(one.name).waitFor();
  await until(() => p.asked.includes('/api/v1/events') && p.asked.includes('/api/v1/volumes'), 'the stream is open');
  const before = p.asked.length;
  await daemon.post('stoptorrent', { infohash: one.hash });
  await p.row(one.name).getByText('Stopped').waitFor();
  await daemon.post('starttorrent', { infohash: one.hash });
  await p.row(one.name).getByText('Complete').waitFor();
  await p.page.waitForTimeout(1500); // longer than the time between two questions, if there were any
  equal(p.asked.slice(before), []);
  await p.close();
});

test('a daemon that dies is told of, and no number of it is shown as live', async () => {
  const p = await Page.open(daemon.url);
  await daemon.post('addmagnet', { url: slow.magnet(from) });
  await p.row(slow.name).getByText('/s').waitFor();
  await daemon.end('SIGKILL');
  await p.page.getByText('No answer from torrentd').waitFor();
  check(await p.row(slow.name).isVisible(), 'the rows are still there');
  await until(async () => !/\/s/.test(await p.row(slow.name).innerText()), 'the rate is gone');
  check(await p.button(`Stop ${slow.name}`).isDisabled(), 'changing is off');
  await daemon.begin();
  await p.row(slow.name).getByText('/s').waitFor();
  equal((await names(p)).length, 3);
  await p.close();
});

test('removing with the data asks, and does it', async () => {
  const p = await Page.open(`${daemon.url}#/t/${one.hash}`);
  check(existsSync(one.path(daemon.downloads)), 'the file is there');
  await p.button('Remove').click();
  await p.page.getByRole('button', { name: /^Delete .* of data$/ }).click();
  await until(async () => (await daemon.row(one)) === undefined, 'the torrent is gone');
  await until(() => !existsSync(one.path(daemon.downloads)), 'the file is gone');
  await p.page.getByText(`Removed ${one.name}`).waitFor();
  await until(async () => !(await names(p)).includes(one.name), 'the row is gone');
  await p.close();
});

test('what was removed comes back, also after the daemon began anew', async () => {
  const p = await Page.open(`${daemon.url}#/t/${three.hash}`);
  await p.page.locator('.detail').getByRole('button', { name: 'Remove', exact: true }).click();
  await p.button('Remove, keep the files').click();
  await p.page.getByText(`Removed ${three.name}`).waitFor();
  await daemon.end();
  await daemon.begin();
  await p.page.goto(daemon.url);
  await p.row(slow.name).waitFor();
  await p.button('Settings').click();
  await p.button('Recently removed').click();
  await p.axe('removed');
  await p.button(`Restore ${three.name}`).click();
  await p.page.getByText(`${three.name} is back`).waitFor();
  await daemon.state(three, 'seeding', 'downloading');
  await p.close();
});

test('several are selected and stopped at once', async () => {
  const p = await Page.open(daemon.url);
  await p.button('Select').click();
  await p.button('All').click();
  await p.page.getByText('2 of 2').waitFor();
  await p.button('Stop').click();
  await daemon.state(three, 'stopped');
  await daemon.state(slow, 'stopped');
  await p.page.getByText('2 torrents stopped').waitFor();
  await p.button('Undo').click();
  await daemon.state(three, 'seeding', 'downloading');
  await p.close();
});

// A finger that goes down at the row's middle and, by steps, to the side.
async function swipe(p, torrent, dx) {
  const box = await p.row(torrent.name).locator('.row-open').boundingBox();
  const x = box.x + box.width / 2, y = box.y + box.height / 2, cdp = await p.context.newCDPSession(p.page);
  const touch = (type, at) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints: type === 'touchEnd' ? [] : [{ x: x + at, y }] });
  await touch('touchStart', 0);
  for (let i = 1; i <= 10; i++) await touch('touchMove', (dx * i) / 10);
  await touch('touchEnd', dx);
}

test('a swipe to the right stops, to the left removes, a short one does nothing, and undo takes both back', async () => {
  const p = await Page.open(daemon.url);
  await p.button(`Stop ${three.name}`).waitFor();
  await swipe(p, three, 60);
  check((await daemon.row(three)).state !== 'stopped', 'a short one does nothing');
  await swipe(p, three, 140);
  await daemon.state(three, 'stopped');
  await p.button('Undo').click();
  await daemon.state(three, 'seeding', 'downloading');
  await p.page.getByText('Undone').waitFor();
  await swipe(p, three, -140);
  await p.page.getByText(`Removed ${three.name}`).waitFor();
  equal(await daemon.row(three), undefined, 'it is gone');
  await p.button('Undo').click();
  await p.row(three.name).waitFor();
  await daemon.state(three, 'seeding', 'downloading');
  equal(await p.page.locator('.detail').count(), 0, 'nothing was opened by it');
  await p.close();
});

test('a row that is held is selected', async () => {
  const p = await Page.open(daemon.url);
  const box = await p.row(three.name).locator('.row-open').boundingBox(), cdp = await p.context.newCDPSession(p.page);
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x: box.x + 100, y: box.y + 30 }] });
  await p.page.getByText('1 of 2').waitFor();
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await p.axe('selection');
  await p.page.goBack();
  await p.button('Select').waitFor();
  await p.close();
});

test('the page opens without its daemon, and says so', async () => {
  const p = await Page.open(daemon.url);
  await p.page.evaluate(() => navigator.serviceWorker.ready);
  await p.page.reload();
  await until(() => p.page.evaluate(() => navigator.serviceWorker.controller !== null), 'the worker has the page');
  await daemon.end('SIGKILL');
  await p.page.reload();
  await p.page.locator('.strip').getByText('No answer from torrentd').waitFor();
  await daemon.begin();
  await p.row(three.name).waitFor();
  await p.close();
});

test('what is stuck says why, and what can be done', async () => {
  const lost = new Torrent('nobody-has-this.bin', 60_000, { trackers: ['http://127.0.0.1:9/announce'] });
  await daemon.add(lost);
  const p = await Page.open(`${daemon.url}#/t/${lost.hash}`);
  await p.page.getByRole('heading', { name: 'Why' }).waitFor();
  await p.button('See trackers').click();
  await p.page.getByText('http://127.0.0.1:9').waitFor();
  await daemon.post('removetorrent', { infohash: lost.hash });
  await p.page.getByText('This torrent is no longer here').waitFor();
  await p.close();
});

test('limits on everything are set, in the units one likes', async () => {
  const p = await Page.open(daemon.url);
  await p.page.locator('button.strip').click();
  await p.page.getByLabel('Download limit').fill('2 MiB/s');
  await p.button('Set').first().click();
  await p.page.getByText('Limit set: 2.0 MiB/s').waitFor();
  equal((await (await fetch(`${daemon.url}alldata?fields=error`)).json()).maxdown, 2048);
  await p.page.getByLabel('Download limit').fill('fast');
  check(await p.button('Set').first().isDisabled(), 'that is no rate');
  await daemon.post('setglobaldownrate', { rate: 0 });
  await p.close();
});

test('a setting of the daemon is found, changed, refused in words, and reset', async () => {
  const p = await Page.open(daemon.url);
  await p.button('Settings').click();
  await p.button('Settings of the daemon').click();
  await p.page.getByLabel('Search settings').fill('dht.max_rate');
  equal(await p.page.getByLabel('dht.max_rate', { exact: true }).inputValue(), '16KiB/s');
  await p.page.getByLabel('Search settings').fill('queue.downloads');
  const field = p.page.getByLabel('queue.downloads', { exact: true }), was = await field.inputValue();
  await field.fill('7');
  await p.button('Set').click();
  await p.page.getByText('queue.downloads is changed').waitFor();
  await p.button('Reset').click();
  await until(async () => (await field.inputValue()) === was, 'the default is back');
  await field.fill('-4');
  await p.button('Set').click();
  await p.page.getByText('-4 is below the minimum').waitFor();
  await p.close();
});

test('the keyboard alone', async () => {
  const p = await Page.open(daemon.url, DESKTOP);
  await p.row(three.name).waitFor();
  await p.page.keyboard.press('j');
  await p.page.keyboard.press('Enter');
  await p.page.locator('.detail').waitFor();
  await p.page.keyboard.press('2');
  await p.page.locator('.file').first().or(p.page.getByText('The list of files')).first().waitFor();
  await p.page.keyboard.press('Escape');
  await p.page.locator('.detail').waitFor({ state: 'detached' });
  await p.page.keyboard.press('/');
  await p.page.keyboard.type('three');
  await until(async () => (await names(p)).join() === three.name, 'it is found');
  await p.close();
});

test('names from strangers are text', async () => {
  const evil = new Torrent('<img src=x onerror=alert(1)>\u202e gnp.exe', 50_000);
  await daemon.add(evil, { start: 'false' });
  const p = await Page.open(daemon.url, SMALL);
  await p.page.locator('.row').filter({ hasText: '<img' }).waitFor();
  equal(await p.page.locator('.row img').count(), 0);
  await p.noSidewaysScroll('the list');
  await daemon.post('removetorrent', { infohash: evil.hash });
  await p.close();
});

test('a link of another site reaches the page, and nothing else of the daemon', async () => {
  const p = await Page.open('data:text/html,<a>x</a>');
  await p.page.setContent(`<a id="page" href="${daemon.url}?add=${encodeURIComponent(one.magnet())}">a</a><a id="api" href="${daemon.url}alldata">b</a>`);
  await Promise.all([p.page.waitForURL(`${daemon.url}**`), p.page.locator('#page').click()]);
  await p.page.locator('dialog').getByText(one.name).first().waitFor();
  equal(await daemon.row(one), undefined, 'nothing is added unasked');
  await p.close();
});

test('German, and the black look, are chosen and kept', async () => {
  const p = await Page.open(daemon.url);
  await p.button('Settings').click();
  await p.page.getByText('Deutsch').click();
  await p.page.getByRole('heading', { name: 'Einstellungen' }).waitFor();
  await p.page.getByText('Schwarz').click();
  await p.page.reload();
  await p.page.getByRole('button', { name: 'Einstellungen' }).waitFor();
  equal(await p.page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(0, 0, 0)');
  await p.close();
});

await run(async () => {
  await closeBrowser();
  await Promise.all([daemon.close(), seeder.close()]);
});
