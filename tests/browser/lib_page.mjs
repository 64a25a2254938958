// SPDX-License-Identifier: MIT
// The page in Chromium, with everything noted that must never happen: errors, refusals by the policy, sideways scroll.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check } from './lib_tap.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const modules = createRequire(join(ROOT, 'build/browser/package.json'));
const { chromium } = modules('playwright-core');
const AXE = readFileSync(modules.resolve('axe-core/axe.min.js'), 'utf8');
const PICTURES = join(ROOT, 'build/pictures');

let browser = null;

async function launch() {
  browser ??= await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'], env: { ...process.env, LANG: 'C.UTF-8' } });
  return browser;
}

export const closeBrowser = async () => { await browser?.close(); };

export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
export const SMALL = { viewport: { width: 320, height: 568 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
export const DESKTOP = { viewport: { width: 1440, height: 900 } };

// What is refused by a server that is away is told by the browser, too, and is no fault of the page's.
const EXPECTED = /Failed to load resource|net::ERR_/;

// What the browser did meanwhile, as its events tell.
export async function trace(p, what) {
  const b = await launch();
  await b.startTracing(p.page, { categories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'] });
  await what();
  return JSON.parse((await b.stopTracing()).toString()).traceEvents;
}

export class Page {
  static async open(url, options = PHONE) {
    const p = new Page();
    p.context = await (await launch()).newContext({ locale: 'en-GB', ...options });
    p.page = await p.context.newPage();
    p.faults = [];
    p.asked = []; // paths of all requests
    p.page.on('request', r => p.asked.push(new URL(r.url()).pathname));
    await p.page.exposeFunction('noteViolation', text => p.faults.push(`policy: ${text}`));
    await p.page.addInitScript(() => document.addEventListener('securitypolicyviolation', e =>
      window.noteViolation(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`)));
    p.page.on('console', m => { if (m.type() === 'error' && !EXPECTED.test(m.text())) p.faults.push(`console: ${m.text()}`); });
    p.page.on('pageerror', e => p.faults.push(`error: ${e.stack}`));
    await p.page.goto(url);
    return p;
  }

  row(name) {
    return this.page.locator('.row', { has: this.page.getByText(name.slice(-12)) }).filter({ hasText: name.slice(0, 8) }).first();
  }

  button(name) {
    return this.page.getByRole('button', { name, exact: true });
  }

  // What moves has come to rest: half of a fade has no contrast.
  settled() {
    return this.page.evaluate(() => Promise.all(document.getAnimations().map(a => a.finished.catch(() => undefined))));
  }

  // Everything that is in sight, by the rules of WCAG 2.2 AA.
  async axe(what) {
    // By the debugger's protocol: the page's own policy stays as it is.
    await this.settled();
    if (!(await this.page.evaluate(() => 'axe' in window))) await this.page.evaluate(AXE);
    const found = await this.page.evaluate(() => window.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], rules: { 'target-size': { enabled: true } },
    }));
    const words = found.violations.map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => `${n.html.slice(0, 160)} (${n.failureSummary?.slice(0, 200)})`).join(' | ')}`);
    check(words.length === 0, what, words.join('\n'));
  }

  async noSidewaysScroll(what) {
    const wide = await this.page.evaluate(() => {
      const root = document.scrollingElement, out = [];
      if (root.scrollWidth > root.clientWidth) out.push(`the page: ${root.scrollWidth} > ${root.clientWidth}`);
      for (const el of document.querySelectorAll('.scroll'))
        if (el.scrollWidth > el.clientWidth) out.push(`${el.className}: ${el.scrollWidth} > ${el.clientWidth}`);
      return out;
    });
    check(wide.length === 0, what, wide.join(', '));
  }

  // No control and no heading has words that are cut off without a sign of it.
  async nothingCut(what) {
    const cut = await this.page.evaluate(() => [...document.querySelectorAll('button, label, h1, h2, summary, .hint, dt, legend')].filter(el => {
      if (!el.checkVisibility({ visibilityProperty: true }) || el.closest('.visually-hidden, [inert], .swipe-hint') || el.matches('.visually-hidden')) return false;
      const style = getComputedStyle(el);
      return style.overflowX !== 'auto' && el.scrollWidth > el.clientWidth + 1 && style.display !== 'inline' && style.textOverflow !== 'ellipsis';
    }).map(el => `${el.className || el.tagName}: "${el.textContent.slice(0, 60)}" ${el.scrollWidth} > ${el.clientWidth}`));
    check(cut.length === 0, what, cut.join(', '));
  }

  async picture(name) {
    mkdirSync(PICTURES, { recursive: true });
    await this.page.evaluate(() => document.fonts.ready);
    await this.page.screenshot({ path: join(PICTURES, `${name}.png`), animations: 'disabled' });
  }

  // Ends it, and fails when there was anything that must not be.
  async close() {
    await this.context.close();
    check(this.faults.length === 0, this.faults.join('\n'));
  }
}
