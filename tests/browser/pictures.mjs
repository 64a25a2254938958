// SPDX-License-Identifier: MIT
// Every screen in every size, in build/pictures, to be looked at; on the way, that nothing scrolls sideways and axe finds nothing.
import { Daemon } from './lib_daemon.mjs';
import { closeBrowser, Page, PHONE } from './lib_page.mjs';
import { run, test, until } from './lib_tap.mjs';
import { Torrent } from './lib_torrent.mjs';

const SIZES = [[390, 844], [360, 740], [320, 568], [768, 1024], [1440, 900]];
const MIB = 1024 * 1024;

const FILM = new Torrent('Big.Buck.Bunny.2008.2160p.60fps.WEB.x265-BLENDER', [
  ['Big.Buck.Bunny.2008.mkv', 20 * MIB], ['Subtitles/English.srt', 80_000], ['Subtitles/Deutsch.srt', 82_000], ['Extras/Making.of.mkv', 3 * MIB], ['Readme.txt', 900],
]);
const ISO = new Torrent('debian-12.9.0-amd64-DVD-1.iso', 12 * MIB, { trackers: ['http://127.0.0.1:9/announce'] });
const DONE = [
  new Torrent('ubuntu-24.04-desktop-amd64.iso', 2 * MIB), new Torrent('Sintel.2010.1080p', [['Sintel.mkv', MIB], ['Sintel.en.srt', 50_000]]),
  new Torrent('archlinux-2026.11.01-x86_64.iso', MIB), new Torrent('Tears of Steel (2012)', 700_000), new Torrent('Cosmos Laundromat', 900_000),
  new Torrent('libreoffice-24.8.3-help-pack', 600_000), new Torrent('openstreetmap-planet-261101', MIB),
];
const LOST = new Torrent('fedora-workstation-43-x86_64', 3 * MIB), MAGNET = new Torrent('Spring.2019.4k.webm', 5 * MIB);

let seeder, daemon;

async function prepare() {
  [seeder, daemon] = await Promise.all([Daemon.start({ 'lan.upload_max_rate': '150KiB/s' }), Daemon.start()]);
  await Promise.all([seeder.seed(FILM), seeder.seed(ISO)]);
  for (const t of DONE) await daemon.seed(t);
  await daemon.post('stoptorrent', { infohash: DONE[0].hash });
  await daemon.add(LOST);
  await daemon.post('addmagnet', { url: MAGNET.magnet() });
  for (const t of [ISO, FILM]) await daemon.post('addmagnet', { url: t.magnet(`127.0.0.1:${seeder.peerPort}`) });
  await until(async () => (await daemon.row(FILM)).down > 0 && (await daemon.row(ISO)).down > 0, 'both move');
}

const opened = (p, name) => p.page.locator('dialog[open]').filter({ hasText: name }).waitFor();
const closed = async p => {
  await p.page.keyboard.press('Escape');
  await p.page.locator('dialog').waitFor({ state: 'detached' });
};

const SCREENS = {
  async list() {},
  async detail(p) {
    await p.page.goto(`${daemon.url}#/t/${FILM.hash}`);
    await p.page.locator('.pieces').waitFor();
  },
  async files(p) {
    await p.page.goto(`${daemon.url}#/t/${FILM.hash}/files`);
    await p.page.locator('.file').first().waitFor();
  },
  async peers(p) {
    await p.page.goto(`${daemon.url}#/t/${FILM.hash}/peers`);
    await p.page.locator('.peer').first().waitFor();
  },
  async trackers(p) {
    await p.page.goto(`${daemon.url}#/t/${ISO.hash}/trackers`);
    await p.page.getByText('This torrent has no trackers').or(p.page.locator('.tracker').first()).waitFor();
  },
  async add(p) {
    await p.page.goto(`${daemon.url}?add=${encodeURIComponent(`${MAGNET.magnet()}\nhttps://example.org/x.torrent`)}`);
    await opened(p, 'Add torrents');
  },
  async settings(p) {
    await p.page.goto(daemon.url);
    await p.button('Settings').click();
    await opened(p, 'These are kept on this device');
  },
  async now(p) {
    await closed(p);
    await p.page.locator('button.strip').click();
    await opened(p, 'Download limit');
  },
  async devices(p) {
    await p.page.goto(daemon.url);
    await p.button('Settings').click();
    await p.button('Devices and programs').click();
    await p.button('Let another device in').click();
    await p.page.locator('.pairing-code').waitFor();
  },
  async options(p) {
    await p.page.goto(daemon.url);
    await p.button('Settings').click();
    await p.button('Settings of the daemon').click();
    await p.page.getByLabel('Search settings').fill('max_rate');
    await p.page.locator('.option').first().waitFor();
  },
  async remove(p) {
    await p.page.goto(`${daemon.url}#/t/${FILM.hash}`);
    await p.page.locator('.detail').getByRole('button', { name: 'Remove', exact: true }).click();
    await opened(p, 'Remove Big');
  },
};

// The quick suite takes two of them; PICTURES=all, or a name on the command line, the others.
const QUICK = ['390x844 light', '320x568 dark'];
const all = process.env.PICTURES === 'all' || process.argv.length > 2;

for (const [width, height] of SIZES)
  for (const scheme of ['light', 'dark'])
    if (all || QUICK.includes(`${width}x${height} ${scheme}`)) test(`${width}x${height} ${scheme}`, async () => {
      const p = await Page.open(daemon.url, { ...(width < 700 ? PHONE : {}), viewport: { width, height }, colorScheme: scheme, reducedMotion: 'reduce' });
      await p.page.locator('.row').first().waitFor();
      for (const [name, go] of Object.entries(SCREENS)) {
        await go(p);
        await p.noSidewaysScroll(name);
        if (width === 390 || width === 1440) await p.axe(name);
        await p.picture(`${name}-${width}x${height}-${scheme}`);
      }
      await p.close();
    });

test('readme', async () => {
  const p = await Page.open(daemon.url, { ...PHONE, colorScheme: 'light', reducedMotion: 'reduce' });
  await p.row(FILM.name).waitFor();
  await p.picture('readme');
  await p.close();
});

await prepare();
await run(async () => {
  await closeBrowser();
  await Promise.all([daemon.close(), seeder.close()]);
});
