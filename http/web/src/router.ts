// SPDX-License-Identifier: MIT
// Where one is: the route in the fragment, and layers (sheets, search, selection) above it, each a step of the history.
import { computed, signal } from '@preact/signals';

export const TABS = ['overview', 'files', 'peers', 'trackers'] as const;
export type Tab = (typeof TABS)[number];

const route = signal(location.hash);
const layers: (() => void)[] = [];
let closing: (() => void) | null = null;

const parts = computed(() => route.value.replace(/^#\/?/, '').split('/'));
export const openHash = computed(() => (parts.value[0] === 't' ? parts.value[1] ?? '' : ''));
export const openTab = computed<Tab>(() => TABS.find(tab => tab === parts.value[2]) ?? 'overview');
export const pairCode = computed(() => (parts.value[0] === 'pair' ? parts.value[1] ?? '' : ''));

const depth = (): number => (history.state as { depth?: number } | null)?.depth ?? 0;

export function go(path: string, replace = false): void {
  const url = `${location.pathname}${location.search}#/${path}`;
  if (replace) history.replaceState({ depth: layers.length }, '', url);
  else history.pushState({ depth: layers.length }, '', url);
  route.value = location.hash;
}

export const openTorrent = (hash: string, tab: Tab = 'overview'): void =>
  go(tab === 'overview' ? `t/${hash}` : `t/${hash}/${tab}`, openHash.value !== '');

// Back to the list: by the way one came, where there is one.
export function leave(): void {
  if (openHash.value === '' && pairCode.value === '') return;
  go('', true);
}

// Something lies above the page now; close() is called when the history goes back past it.
export function pushLayer(close: () => void): void {
  layers.push(close);
  history.pushState({ depth: layers.length }, '');
}

// Closes the topmost layer, as Back would; what comes after it waits for that.
export function popLayer(then?: () => void): void {
  if (layers.length === 0) {
    then?.();
    return;
  }
  closing = then ?? null;
  history.back();
}

function onPop(): void {
  while (layers.length > depth()) layers.pop()!();
  route.value = location.hash;
  const then = closing;
  closing = null;
  then?.();
}

export function startRouter(): void {
  // After a reload no layer is open, whatever the history says.
  history.replaceState({ depth: 0 }, '');
  window.addEventListener('popstate', onPop);
}
