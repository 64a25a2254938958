// SPDX-License-Identifier: MIT
// What comes to the page from outside: shared by other applications, opened by the system, pasted, dropped, and what has
// finished while nobody looked.
import { Daemon } from './lib_daemon.mjs';
import { closeBrowser, DESKTOP, Page } from './lib_page.mjs';
import { equal, run, test, until } from './lib_tap.mjs';
import { Torrent } from './lib_torrent.mjs';

const daemon = await Daemon.start();
const linked = new Torrent('shared-by-a-link.iso', 50_000), filed = new Torrent('shared-as-a-file.iso', 60_000);

const card = (p, torrent) => p.page.locator('dialog[open] .card').filter({ hasText: torrent.name }).waitFor();

async function withWorker(options) {
  const p = await Page.open(daemon.url, options);
  await p.page.evaluate(() => navigator.serviceWorker.ready);
  await p.page.reload();
  await until(() => p.page.evaluate(() => navigator.serviceWorker.controller !== null), 'the worker has the page');
  return p;
}

test('another application shares a link and a file', async () => {
  const p = await withWorker(), other = await p.context.newPage();
  await other.goto('about:blank');
  await other.setContent(`<form action="${daemon.url}share" method="post" enctype="multipart/form-data">
    <input name="title" value="a film"><textarea name="text">look at this: ${linked.magnet()} it is good</textarea><input name="file" type="file" multiple><button>Share</button></form>`);
  await other.locator('input[type=file]').setInputFiles({ name: 'filed.torrent', mimeType: 'application/x-bittorrent', buffer: filed.data });
  await other.locator('button').click();
  await other.locator('dialog[open] .card').filter({ hasText: linked.name }).waitFor();
  await other.locator('dialog[open] .card').filter({ hasText: filed.name }).waitFor();
  equal(new URL(other.url()).search, '', 'the address is that of the page again');
  equal(await daemon.row(linked), undefined, 'nothing is added unasked');
  await p.close();
});

test('the system opens a magnet and a file with the installed page', async () => {
  const p = await Page.open('about:blank');
  await p.page.addInitScript(bytes => {
    const file = new File([new Uint8Array(bytes)], 'filed.torrent');
    Object.defineProperty(window, 'launchQueue', { value: { setConsumer: fn => setTimeout(() => fn({ files: [{ getFile: async () => file }] })) } });
  }, [...filed.data]);
  await p.page.goto(`${daemon.url}?add=${encodeURIComponent(linked.magnet())}`);
  await card(p, linked);
  await card(p, filed);
  const manifest = await (await fetch(`${daemon.url}manifest.webmanifest`)).json();
  equal([manifest.protocol_handlers[0].url, manifest.file_handlers[0].action, manifest.share_target.action], ['./?add=%s', './?open', './share']);
  await p.close();
});

test('what is pasted and what is dropped anywhere', async () => {
  const p = await Page.open(daemon.url, DESKTOP);
  await p.page.getByRole('heading', { name: 'Nothing here yet' }).waitFor();
  await p.page.evaluate(text => {
    const data = new DataTransfer();
    data.setData('text', text);
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, linked.magnet());
  await card(p, linked);
  await p.page.evaluate(bytes => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], 'filed.torrent'));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  }, [...filed.data]);
  await card(p, filed);
  await p.close();
});

test('what is added without a connection waits, over a reload, and goes when there is one', async () => {
  const p = await withWorker();
  await daemon.end('SIGKILL');
  await p.page.getByText('No answer from torrentd').first().waitFor();
  await p.button('Add').last().click();
  await p.page.locator('textarea').fill(linked.magnet());
  await p.button('Add when there is a connection').click();
  await p.page.locator('.ghost').filter({ hasText: linked.name }).waitFor();
  await p.page.reload();
  await p.page.locator('.ghost').filter({ hasText: linked.name }).waitFor();
  await p.axe('waiting');
  await daemon.begin();
  await p.row(linked.name).waitFor();
  await until(async () => (await p.page.locator('.ghost').count()) === 0, 'it waits no more');
  equal((await daemon.rows()).filter(r => r.hash === linked.hash).length, 1);
  await p.close();
});

test('what has finished since one last looked is told once', async () => {
  const p = await Page.open(daemon.url);
  await p.row(linked.name).waitFor();
  await p.page.evaluate(() => localStorage.setItem('torrentd.seen', '1700000000'));
  await p.page.addInitScript(() => { if (!sessionStorage.getItem('once')) localStorage.setItem('torrentd.seen', '1700000000'); sessionStorage.setItem('once', '1'); });
  await daemon.seed(new Torrent('finished-meanwhile.iso', 40_000));
  await p.page.reload();
  await p.page.getByRole('button', { name: /^Since .*: 1 finished$/ }).click();
  await p.row('finished-meanwhile.iso').waitFor();
  equal(await p.page.locator('.row').count(), 1, 'what is done alone is shown');
  await p.page.reload();
  await p.row(linked.name).waitFor();
  equal(await p.page.locator('.since').count(), 0);
  await p.close();
});

await run(async () => {
  await closeBrowser();
  await daemon.close();
});
