// SPDX-License-Identifier: MIT
// The page for those who see, read and move otherwise: contrast, colours of the system, letters of twice the size, other directions.
import { Daemon } from '../browser/lib_daemon.mjs';
import { closeBrowser, DESKTOP, Page, PHONE, SMALL } from '../browser/lib_page.mjs';
import { check, equal, run, test, until } from '../browser/lib_tap.mjs';
import { Torrent } from '../browser/lib_torrent.mjs';

const daemon = await Daemon.start();
const done = new Torrent('A.finished.film.2026.x265-GRP', [['film.mkv', 300_000], ['subtitles/english.srt', 20_000]]);
const lost = new Torrent('nobody-has-this-one.iso', 200_000, { trackers: ['http://127.0.0.1:9/announce'] });
await daemon.seed(done);
await daemon.add(lost);
await daemon.state(lost, 'downloading');

const chosen = prefs => ({ storageState: { cookies: [], origins: [{ origin: daemon.url.slice(0, -1), localStorage: [{ name: 'torrentd.prefs', value: JSON.stringify(prefs) }] }] } });

// List, detail, files, settings, add: what most is made of.
async function tour(p, look) {
  await p.page.locator('.row').first().waitFor();
  await look('list');
  for (const tab of ['', '/files', '/trackers']) {
    await p.page.evaluate(to => { location.hash = to; }, `#/t/${lost.hash}${tab}`);
    await p.page.locator('.panel > :not(.hint)').first().waitFor();
    await look(`detail${tab.replace('/', '-')}`);
  }
  await p.page.goto(daemon.url);
  await p.page.locator('.row').first().waitFor();
  await p.page.keyboard.press('n');
  await p.page.locator('dialog[open] textarea').waitFor();
  await look('add');
  await p.page.goto(daemon.url);
  await p.page.locator('.row').first().waitFor();
  await p.page.keyboard.press('g');
  await p.page.keyboard.press('s');
  await p.page.locator('dialog[open] .radios').first().waitFor();
  await look('settings');
}

// The lowest contrast of any text that is in sight, by WCAG's formula.
const lowest = p => p.page.evaluate(() => {
  const parse = c => (c.match(/[\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((n, v, i) => n + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = el => { for (; el; el = el.parentElement) { const c = parse(getComputedStyle(el).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  let least = { ratio: 99 };
  for (const el of document.querySelectorAll('body *')) {
    if (![...el.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !el.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (el.closest('[disabled], .visually-hidden, .swipe-hint')) continue;
    const [a, b] = [light(parse(getComputedStyle(el).color)), light(ground(el))].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
    if (ratio < least.ratio) least = { ratio, text: el.textContent.slice(0, 40), class: el.className };
  }
  return least;
});

for (const [name, options] of [
  ['high contrast that the system asks for', { contrast: 'more', colorScheme: 'light' }],
  ['dark high contrast that the system asks for', { contrast: 'more', colorScheme: 'dark' }],
  ['dark high contrast by hand', chosen({ theme: 'contrast-dark' })],
]) test(`${name}: every text at 10:1`, async () => {
  const p = await Page.open(daemon.url, { ...PHONE, ...options });
  await tour(p, async what => {
    await p.settled();
    const least = await lowest(p);
    check(least.ratio >= 10, what, least);
    await p.axe(what);
    await p.picture(`looks-${name.replaceAll(' ', '-')}-${what}`);
  });
  await p.close();
});

test('the colours of the system alone are enough', async () => {
  const p = await Page.open(daemon.url, { ...PHONE, forcedColors: 'active', colorScheme: 'dark' });
  await tour(p, async what => {
    await p.axe(what);
    await p.picture(`looks-forced-${what}`);
  });
  await p.close();
});

for (const [name, language, options] of [['longer words', 'en-XA', SMALL], ['right to left', 'ar-XB', PHONE], ['right to left and wide', 'ar-XB', DESKTOP], ['longer words and wide', 'en-XA', DESKTOP]]) {
  test(`${name}: nothing scrolls sideways, nothing is unnamed`, async () => {
    const p = await Page.open(daemon.url, { ...options, ...chosen({ language }) });
    await until(() => p.page.evaluate(l => document.documentElement.lang === l, language), 'the language is there');
    equal(await p.page.evaluate(() => document.documentElement.dir), language === 'ar-XB' ? 'rtl' : 'ltr');
    await tour(p, async what => {
      await p.noSidewaysScroll(what);
      await p.nothingCut(what);
      await p.axe(what);
      await p.picture(`looks-${name.replaceAll(' ', '-')}-${what}`);
    });
    await p.close();
  });
}

test('letters of twice the size: all is there, and nothing is cut', async () => {
  for (const [name, options] of [['768', { viewport: { width: 768, height: 1024 } }], ['390', PHONE]]) {
    const p = await Page.open('about:blank', options), cdp = await p.context.newCDPSession(p.page);
    await cdp.send('Page.setFontSizes', { fontSizes: { standard: 32, fixed: 26 } });
    await p.page.goto(daemon.url);
    equal(await p.page.evaluate(() => getComputedStyle(document.documentElement).fontSize), '32px');
    await tour(p, async what => {
      await p.noSidewaysScroll(what);
      await p.nothingCut(what);
      await p.picture(`looks-large-${name}-${what}`);
    });
    await p.close();
  }
});

test('who wants no motion gets none', async () => {
  const p = await Page.open(daemon.url, { ...PHONE, reducedMotion: 'reduce' });
  await p.button('Add').last().click();
  const longest = await p.page.evaluate(() => Math.max(0, ...document.getAnimations().map(a => a.effect.getComputedTiming().duration)));
  check(longest <= 80, 'an animation of', longest, 'ms');
  await p.close();
});

// Touch controls are large enough for a thumb, or what they are in is.
test('what is touched has 44 px', async () => {
  const p = await Page.open(daemon.url, PHONE);
  await tour(p, async what => {
    const small = await p.page.evaluate(() => {
      const room = document.querySelector('dialog[open]') ?? document.querySelector('.detail') ?? document.body;
      return [...room.querySelectorAll('button, a[href], input, select, textarea, summary')].filter(el => {
        if (!el.checkVisibility() || el.closest('.visually-hidden, [inert]') || el.matches('.visually-hidden')) return false;
        const box = (el.closest('label') ?? el).getBoundingClientRect(), after = getComputedStyle(el, '::after');
        const more = after.content !== 'none' && after.position === 'absolute' ? 8 : 0;
        return box.height + more < 43.5 || box.width < 43.5;
      }).map(el => `${el.tagName} ${el.className} "${(el.getAttribute('aria-label') ?? el.textContent).slice(0, 30)}" ${Math.round(el.getBoundingClientRect().width)}x${Math.round(el.getBoundingClientRect().height)}`);
    });
    equal(small, [], what);
  });
  await p.close();
});

await run(async () => {
  await closeBrowser();
  await daemon.close();
});
