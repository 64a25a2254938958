// SPDX-License-Identifier: MIT
// What a person has chosen on this device, kept by the browser.
import { signal } from '@preact/signals';
import type { Look } from './look';
import type { Sort } from './order';

export interface Prefs {
  theme: 'auto' | Look;
  language: string;
  compact: boolean;
  clipboard: boolean;
  swipes: boolean;
  keys: boolean;
  sort: Sort;
  descending: boolean;
}

const KEY = 'torrentd.prefs';
const DEFAULTS: Prefs = {
  theme: 'auto', language: '', compact: false, clipboard: true, swipes: true, keys: true, sort: 'added', descending: true,
};

function load(): Prefs {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Prefs>) };
  } catch {
    return DEFAULTS; // nothing may be kept, or what was kept is broken
  }
}

export const prefs = signal<Prefs>(load());

export function setPrefs(change: Partial<Prefs>): void {
  prefs.value = { ...prefs.value, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(prefs.value));
  } catch {
    // it holds until the page is closed
  }
}
