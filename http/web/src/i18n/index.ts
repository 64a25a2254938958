// SPDX-License-Identifier: MIT
// The words of the page in one language; others than English come when they are wanted.
import { signal } from '@preact/signals';
import { en } from './en';

export type Words = typeof en;

export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;

// Those that people may choose, and two for the tests (pseudo.ts).
const LOADERS: Record<string, () => Promise<Words> | Words> = {
  en: () => en,
  de: () => import('./de').then(m => m.de),
  'en-XA': () => import('./pseudo').then(m => m.longer),
  'ar-XB': () => import('./pseudo').then(m => m.turned),
};
const RIGHT_TO_LEFT = new Set(['ar-XB']);

export const t = signal<Words>(en);
export const lang = signal('en');
export const toLeft = signal(false); // it runs from right to left

// What was chosen, or the first of the browser's languages that there is.
export async function useLanguage(wanted: string): Promise<void> {
  const codes = [wanted, ...navigator.languages.map(l => l.slice(0, 2))];
  const code = codes.find(c => c in LOADERS) ?? 'en';
  t.value = await LOADERS[code]!();
  lang.value = code;
  toLeft.value = RIGHT_TO_LEFT.has(code);
  document.documentElement.lang = code;
  document.documentElement.dir = toLeft.value ? 'rtl' : 'ltr';
}
