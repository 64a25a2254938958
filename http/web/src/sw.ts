// SPDX-License-Identifier: MIT
// The service worker: keeps the page's own files, so that it opens at once and without a network; never what the API says.
export {};

declare const BUILD: string;
declare const ASSETS: string[];

interface Extendable extends Event { waitUntil(work: Promise<unknown>): void }
interface Fetching extends Extendable { request: Request; respondWith(reply: Promise<Response>): void }

const CACHE = `page-${BUILD}`;
const SHELL = './';
const PATIENCE = 4000; // ms for the network, before the page that is kept is shown
const worker = self as unknown as EventTarget & { location: Location };

// Only our own page is kept: a proxy's login page must never become the application.
async function keepShell(reply: Response): Promise<void> {
  if (!reply.ok || reply.redirected) return;
  const copy = reply.clone();
  if (!(await reply.clone().text()).includes(`content="${BUILD}"`)) return;
  await (await caches.open(CACHE)).put(SHELL, copy);
}

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(ASSETS);
  await keepShell(await fetch(SHELL, { cache: 'no-store', headers: { Accept: 'text/html' } }));
}

async function dropOthers(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith('page-') && name !== CACHE) await caches.delete(name);
}

// Asked for as our own: what another site led to comes with that site's name on it, which the daemon refuses to scripts.
async function page(): Promise<Response> {
  const network = fetch(SHELL, { cache: 'no-cache', redirect: 'manual', headers: { Accept: 'text/html' } });
  const kept = await caches.match(SHELL);
  if (!kept) return network;
  const late = new Promise<Response>(done => setTimeout(() => done(kept), PATIENCE));
  return Promise.race([network.catch(() => kept), late]);
}

async function asset(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}

// What another application shares is kept for the page, which opens with it.
async function share(request: Request, base: string): Promise<Response> {
  const form = await request.formData(), cache = await caches.open('shared');
  const text = ['url', 'text', 'title'].map(name => form.get(name)).filter(v => typeof v === 'string').join('\n');
  const found = /magnet:\?\S+|\b[0-9a-f]{40}\b/i.exec(text);
  if (found) await cache.put('text', new Response(found[0]));
  let i = 0;
  for (const file of form.getAll('file'))
    if (file instanceof File) await cache.put(`file${i++}`, new Response(file, { headers: { 'X-Name': encodeURIComponent(file.name) } }));
  return Response.redirect(`${base}?shared=1`, 303);
}

worker.addEventListener('install', e => (e as Extendable).waitUntil(install()));
worker.addEventListener('activate', e => (e as Extendable).waitUntil(dropOthers()));
worker.addEventListener('fetch', event => {
  const e = event as Fetching, url = new URL(e.request.url);
  const base = worker.location.pathname.replace(/sw\.js$/, '');
  if (e.request.method === 'POST' && url.pathname === `${base}share`) e.respondWith(share(e.request, base));
  if (e.request.method !== 'GET' || url.origin !== worker.location.origin) return;
  if (url.pathname.startsWith(`${base}assets/`)) e.respondWith(asset(e.request));
  else if (e.request.mode === 'navigate' && url.pathname === base && !url.searchParams.has('fresh')) e.respondWith(page());
});
